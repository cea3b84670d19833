using FedServerless.Numerics;
using FedServerless.Storage.Files;
using FedServerless.Testing.Federation.Hosted;
using FedServerless.Wire;

namespace FedServerless.EndToEnd.Tests.Crashes;

/// <summary>The host's program is killed (SIGKILL) again and again during a run, while its clients keep going.</summary>
public sealed class KillTests(ITestOutputHelper output)
{
    private const int ClientCount = 3;
    private const int Rounds = 6;

    private static readonly RunSpec Spec = Specs.Small(ClientCount, Rounds) with
    {
        Architecture = new ArchitectureSpec { Name = "softmax", Inputs = 500, Outputs = 40 },
        Optimizer = new OptimizerSpec { Name = "fedadam", LearningRate = 0.1 },

        // All kills may fall into one round, and on a busy machine each new host takes its time: none may be abandoned for that.
        Round = new RoundSpec { DeadlineSeconds = 3600, Minimum = ClientCount },
    };

    [Fact]
    public async Task Run_HostKilledAtRandomMoments_EndsInTheSameBytes()
    {
        var (reference, _) = await RunAsync(kills: 0, seed: 0);
        var runs = LongTests.Wanted ? 20 : 2;
        var kills = 0;
        for (var seed = 1; seed <= runs; seed++)
        {
            var (model, killed) = await RunAsync(LongTests.Wanted ? 5 : 6, seed);
            kills += killed;
            Assert.True(reference.AsSpan().SequenceEqual(model), $"Other bytes with seed {seed}.");
        }

        output.WriteLine($"{kills} hosts killed during {runs} runs.");
    }

    private static async Task<(byte[] Model, int Killed)> RunAsync(int kills, long seed)
    {
        await using var federation = await HostedFederation.StartedAsync(new HostedParts { AsProcess = true });
        await federation.EnrolAndStartAsync(ClientCount);
        await federation.Operator.StartRunAsync("run", Spec);
        var ended = federation.Operator.WaitForEndAsync("run");
        var random = new DeterministicRandom(seed);
        var killed = 0;
        for (; killed < kills && !ended.IsCompleted; killed++)
        {
            await Task.WhenAny(ended, Task.Delay(random.NextInt(250)));
            await federation.CrashAsync();
            await federation.StartAsync();
        }

        Assert.Equal((RunStates.Completed, Rounds), ((await ended).State, (await ended).PublishedRounds));
        await federation.CrashAsync();
        var disk = FileObjectStore.Open(new FileObjectStoreOptions { Root = Path.Combine(federation.DataFolder, "objects") });
        await Consistency.CheckAsync(disk, federation.Clients, "run", Rounds, recompute: false);
        return (await Published.BytesAsync(disk, Spec.Model, $"run-r{Rounds}"), killed);
    }
}
