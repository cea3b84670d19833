using FedServerless.Activities.State;
using FedServerless.Testing.Federation.Hosted;
using FedServerless.Testing.Storage;
using FedServerless.Wire;

namespace FedServerless.EndToEnd.Tests.Crashes;

/// <summary>No room: requests are told 507, rounds wait, nothing half-written shows, and with room all goes on to the same bytes.</summary>
public sealed class FullDiskTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Run_DiskOrJournalFullAtAnyWrite_EndsInTheSameBytes()
    {
        var reference = await CrashRun.RunAsync(new WriteWatch([]));
        var told = 0;
        await CrashTests.ForEachAsync(reference.Writes, async write =>
        {
            var run = await CrashRun.RunAsync(new WriteWatch([new Mishap(write, StoreFault.Full)]));
            Assert.True(reference.Model.AsSpan().SequenceEqual(run.Model), $"Other bytes, full at {write}.");
            if (run.Retries.Any(reason => reason.Contains("507", StringComparison.Ordinal)))
            {
                Interlocked.Increment(ref told);
            }
        });

        // Of each client the announcement, the header, the part and the receipt in both rounds, and one evaluator's two entries.
        output.WriteLine($"{reference.Writes.Count} writes; clients were told 507 at {told}.");
        Assert.InRange(told, 3 * 4 * 2, int.MaxValue);
    }

    [Fact]
    public async Task Run_DiskFullForAWhile_WaitsAndShowsNothingHalfDone()
    {
        var isFull = 0;
        await using var federation = await HostedFederation.StartedAsync(new HostedParts
        {
            Store = disk => new FaultInjectingStore(disk, write =>
            {
                if (write.Name == StoreNames.Accepted("run", 1))
                {
                    Interlocked.CompareExchange(ref isFull, 1, 0);
                }

                return Volatile.Read(ref isFull) == 1 ? StoreFault.Full : StoreFault.None;
            }),
        });
        await federation.EnrolAndStartAsync(2);
        await federation.Operator.StartRunAsync("run", Specs.Small(clients: 2, rounds: 2));
        await federation.Operator.WaitForRunAsync("run", _ => Volatile.Read(ref isFull) == 1);

        var refused = await federation.Operator.SendAsync(HttpMethod.Post, "enrolments", System.Net.Http.Json.JsonContent.Create(
            new CreateEnrolmentRequest("late"), WireJson.Default.CreateEnrolmentRequest));
        Assert.Equal(507, (int)refused.StatusCode);
        Assert.Equal("sealed", (await federation.Operator.RoundAsync("run", 1)).State);
        Assert.DoesNotContain(federation.Disk.Names, name => name.StartsWith("models/digits/versions/run-", StringComparison.Ordinal));
        Volatile.Write(ref isFull, 2);

        Assert.Equal(RunStates.Completed, (await federation.Operator.WaitForEndAsync("run")).State);
        await Consistency.CheckAsync(federation, "run", 2);
    }
}
