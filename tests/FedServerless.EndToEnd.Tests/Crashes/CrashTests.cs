using System.Collections.Concurrent;
using System.Diagnostics;
using FedServerless.Testing.Storage;

namespace FedServerless.EndToEnd.Tests.Crashes;

/// <summary>
/// Something happens to every write of a small federation, one at a time, from the first enrolment to the run's end: writes of
/// handlers, of activities and of the journal. Each time the run completes to the same bytes, and nothing acknowledged is lost.
/// </summary>
public sealed class CrashTests(ITestOutputHelper output)
{
    [Fact]
    public Task Run_HostDiesBeforeAnyWrite_EndsInTheSameBytes() => AtEveryWriteAsync(StoreFault.CrashBefore);

    [Fact]
    public Task Run_HostDiesAfterAnyWrite_EndsInTheSameBytes() => AtEveryWriteAsync(StoreFault.CrashAfter);

    [Theory]
    [InlineData(7)]
    [InlineData(11)]
    [InlineData(29)]
    public async Task Run_HostsDieAgainAndAgain_EndsInTheSameBytes(int every)
    {
        var reference = await CrashRun.RunAsync(new WriteWatch([]));

        var run = await CrashRun.RunAsync(new WriteWatch([]) { FatalEvery = every });

        output.WriteLine($"{run.Lives} hosts, {run.Writes.Count} writes");
        Assert.InRange(run.Lives, reference.Writes.Count / (every + 2), int.MaxValue);
        Assert.True(reference.Model.AsSpan().SequenceEqual(run.Model));
    }

    [Fact]
    public async Task Run_JournalGoneWithTheHost_RecoversToTheSameBytes()
    {
        var reference = await CrashRun.RunAsync(new WriteWatch([]));
        var writes = reference.Writes.Where(write => write.Contains("runs/run/", StringComparison.Ordinal)).ToList();

        await ForEachAsync(writes.Where((_, index) => index % 3 == 0), async write =>
        {
            var run = await CrashRun.RunAsync(new WriteWatch([new Mishap(write, StoreFault.CrashAfter)]), losesJournal: true);
            Assert.True(reference.Model.AsSpan().SequenceEqual(run.Model), $"Other bytes, journal lost after {write}.");
        });
    }

    [Fact]
    public async Task Run_EveryWriteSentTwice_EndsInTheSameBytes()
    {
        var reference = await CrashRun.RunAsync(new WriteWatch([]));

        var run = await CrashRun.RunAsync(new WriteWatch([]) { Otherwise = StoreFault.Twice });

        Assert.True(reference.Model.AsSpan().SequenceEqual(run.Model));
    }

    internal static Task ForEachAsync<T>(IEnumerable<T> items, Func<T, Task> body) =>
        Parallel.ForEachAsync(items, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (item, _) => await body(item));

    private async Task AtEveryWriteAsync(StoreFault fault)
    {
        var reference = await CrashRun.RunAsync(new WriteWatch([]));
        var missed = new ConcurrentBag<Mishap>();
        var time = Stopwatch.StartNew();
        await ForEachAsync(reference.Writes.Select(write => new Mishap(write, fault)), async mishap =>
        {
            var run = await CrashRun.RunAsync(new WriteWatch([mishap]));
            run.Left.ToList().ForEach(missed.Add);
            Assert.True(reference.Model.AsSpan().SequenceEqual(run.Model), $"Other bytes, {mishap}.");
        });

        output.WriteLine($"{reference.Writes.Count} writes in {time.Elapsed.TotalSeconds:F1} s; not met again: {string.Join("; ", missed)}");

        // Which polls and wakes a run journals, and how often a presence page or usage is written, depends on timing; all else is always written.
        Assert.All(missed, mishap => Assert.Matches("^Journal|/presence/|/usage/", mishap.Write));
        Assert.InRange(missed.Count, 0, reference.Writes.Count / 10);
    }
}
