using System.Globalization;
using FedServerless.Local.Engine.Journal;
using FedServerless.Testing.Engine;
using FedServerless.Workflows.Engine;

namespace FedServerless.LocalHost.Tests.Engine;

/// <summary>
/// Workflows made up from a seed, run through in one go and again through processes that die after every few writes while
/// wakes come at random: the output is the same, and no instance is left without an end.
/// </summary>
public sealed class RandomWorkflowTests
{
    private static readonly Workflow<Program, long> Main = new("Main");
    private static readonly Activity<long, long> Mix = new("Mix", new RetrySpec(3, TimeSpan.FromSeconds(1), 2, TimeSpan.FromSeconds(5)));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public async Task Run_ProcessesDieAndWakesComeAtRandom_EndsAsUninterrupted(int lifetime)
    {
        for (var seed = 1; seed <= 12; seed++)
        {
            var calm = await RunAsync(seed, new JournalFaults(), wakes: false);
            var stormy = await RunAsync(seed, new JournalFaults { LifetimeWrites = lifetime }, wakes: true);
            Assert.Equal(calm, stormy);
        }
    }

    private static async Task<string> RunAsync(int seed, JournalFaults faults, bool wakes)
    {
        var memory = new InMemoryJournal();
        await using var environment = new WorkflowEnvironment(openJournal: () => new FaultingJournal(memory, faults));
        environment.AddActivity(Mix, n => unchecked((n * 6364136223846793005) + 1442695040888963407));
        environment.AddWorkflow(Main, RunProgramAsync);
        var random = new Random(seed);
        for (var crashes = 0; ; crashes++)
        {
            Assert.InRange(crashes, 0, 2000);
            try
            {
                await environment.StartAsync(Main, new Program(seed, 0, 0, seed), "root");
                if (wakes && random.Next(2) == 0)
                {
                    await environment.RunUntilIdleAsync();
                    await environment.Client.WakeAsync("root", "go", CancellationToken.None);
                }

                var status = await environment.CompleteAsync("root");
                Assert.Null(status.Error);
                Assert.Empty(memory.ReadRunning());
                return status.Output!;
            }
            catch (Exception e) when (e is EngineEndedException or JournalException or SimulatedCrashException)
            {
                await environment.RestartAsync();
            }
        }
    }

    private static async Task<Turn<Program, long>> RunProgramAsync(IWorkflowContext context, Program program)
    {
        // A workflow may draw from a seed in its input: the same draws come on every replay.
        var random = new Random(HashCodeOf(program));
        var value = program.Value;
        var steps = 1 + random.Next(5);
        for (var step = 0; step < steps; step++)
        {
            switch (random.Next(program.Depth < 2 ? 5 : 4))
            {
                case 0:
                    value = await context.CallAsync(Mix, value);
                    break;
                case 1:
                    var inputs = Enumerable.Range(0, random.Next(6)).Select(i => value + i).ToArray();
                    value = (await context.FanOutAsync(Mix, inputs)).Aggregate(value, static (sum, n) => unchecked((sum * 31) + n));
                    break;
                case 2:
                    await context.WaitUntilAsync(context.UtcNow.AddSeconds(random.Next(5000)));
                    break;
                case 3:
                    await context.WaitForEventAsync("go", context.UtcNow.AddSeconds(random.Next(5000)));
                    break;
                default:
                    var children = Enumerable.Range(0, 1 + random.Next(2)).Select(i => context.RunAsync(
                        Main,
                        string.Create(CultureInfo.InvariantCulture, $"{context.InstanceId}.{program.Generation}.{step}.{i}"),
                        new Program(program.Seed + i, program.Depth + 1, 0, value)));
                    value = (await Task.WhenAll(children)).Aggregate(value, static (sum, n) => unchecked((sum * 17) + n));
                    break;
            }
        }

        return program.Generation < random.Next(4)
            ? Turn<Program, long>.Again(program with { Generation = program.Generation + 1, Value = value })
            : Turn<Program, long>.Done(value);
    }

    // Not HashCode.Combine, which differs from process to process.
    private static int HashCodeOf(Program program) =>
        unchecked((int)((((program.Seed * 31L) + program.Depth) * 31) + program.Generation + (program.Value % 1_000_003)));

    private sealed record Program(int Seed, int Depth, int Generation, long Value);
}
