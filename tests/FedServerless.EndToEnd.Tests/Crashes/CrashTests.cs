using System.Collections.Concurrent;
using System.Diagnostics;
using FedServerless.Testing.Federation.Hosted;
using FedServerless.Wire;

namespace FedServerless.EndToEnd.Tests.Crashes;

/// <summary>
/// The host dies before and after every write of a small federation, from the first enrolment to the run's end: writes of
/// handlers, of activities and of the journal. Each time the run completes to the same bytes, and nothing acknowledged is lost.
/// </summary>
public sealed class CrashTests(ITestOutputHelper output)
{
    private const int ClientCount = 3;
    private const int Rounds = 2;

    private static readonly RunSpec Spec = Specs.Small(ClientCount, Rounds) with { Optimizer = new OptimizerSpec { Name = "fedavgm" } };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Run_HostDiesAtAnyWrite_EndsInTheSameBytes(bool after)
    {
        var (reference, writes, _) = await RunAsync();
        var missed = new ConcurrentBag<Death>();
        var time = Stopwatch.StartNew();
        var together = new ParallelOptions { MaxDegreeOfParallelism = 4 };
        await Parallel.ForEachAsync(writes.Select(write => new Death(write, after)), together, async (death, _) =>
        {
            var (model, _, left) = await RunAsync(death);
            left.ToList().ForEach(missed.Add);
            Assert.True(reference.AsSpan().SequenceEqual(model), $"Other bytes, dying {death}.");
        });

        output.WriteLine($"{writes.Count} writes in {time.Elapsed.TotalSeconds:F1} s; not met again: {string.Join("; ", missed)}");

        // Which polls and wakes a run journals, and how often a presence page is written, depends on its timing; all else is written each time.
        Assert.All(missed, death => Assert.Matches("^Journal|/presence/", death.Write));
        Assert.InRange(missed.Count, 0, writes.Count / 10);
    }

    private static async Task<(byte[] Model, IReadOnlyList<string> Writes, IReadOnlyList<Death> Left)> RunAsync(params Death[] deaths)
    {
        await using var mortal = new MortalFederation(deaths);
        var federation = mortal.Federation;
        try
        {
            while (!HasStarted(federation))
            {
                await Task.Delay(1);
            }

            await federation.EnrolAndStartAsync(ClientCount);
            await federation.Operator.StartRunAsync("run", Spec);
            var run = await federation.Operator.WaitForEndAsync("run");
            Assert.Equal((RunStates.Completed, Rounds), (run.State, run.PublishedRounds));
            await Consistency.CheckAsync(federation, "run", Rounds);
            await mortal.SupervisionAsync();
            return (await Published.BytesAsync(federation.Disk, "digits", $"run-r{Rounds}"), mortal.Watch.Writes, mortal.Watch.Left);
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException(
                $"Dying {string.Join(", ", deaths.AsEnumerable())}: {exception.Message}\n{string.Join('\n', federation.Log.Where(line => !line.Contains("SimulatedCrash", StringComparison.Ordinal)).TakeLast(10))}", exception);
        }
    }

    private static bool HasStarted(HostedFederation federation)
    {
        try
        {
            return federation.OperatorKey.Length > 0;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
