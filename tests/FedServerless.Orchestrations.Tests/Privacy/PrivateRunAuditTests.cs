using System.Globalization;
using System.Text.Json;
using FedServerless.Activities.Privacy;
using FedServerless.Activities.State;
using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Privacy;
using FedServerless.Storage;
using FedServerless.Testing;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;

namespace FedServerless.Orchestrations.Tests.Privacy;

/// <summary>
/// Issue 5, figure 6, on a throw-away run of the real workflows and activities: canary clients that clip nothing and fill every block, noise of the operating system.
/// Which canaries are in is a fair coin each, from a seed: the auditor may know its own coins.
/// </summary>
public sealed class PrivateRunAuditTests
{
    private const int Canaries = 500;
    private const int Guesses = 100;
    private const int Rounds = 2;
    private const int Inputs = 1023;
    private const int Outputs = 4;
    private const int Block = RunLimits.MinBlockCoordinates;
    private const double Delta = 1e-5;

    // ε = 1.84 for two rounds. No mechanism with that ε is refuted in more than 5 % of audits; Gaussian noise, not the worst there is, in less than one of a million: it
    // takes 93 right guesses of 100, and each is right with a chance of about 0.7.
    private const double Noise = 3.04;

    [Fact]
    public async Task Audit_RealRun_IsNotRefuted()
    {
        var audit = await AuditAsync(Noise, clip: 0.7, seed: 1);

        Assert.InRange(audit.LowerBound(Delta), 0, ClaimedEpsilon());
        Assert.InRange(audit.Correct, 50, 92);
    }

    // The same run with a quarter of the noise that is claimed. Seven wrong guesses of 100 would still refute it, one is expected: eight happen once in 10⁵ runs.
    [Fact]
    public async Task Audit_RealRunWithAQuarterOfTheNoise_IsRefuted()
    {
        var audit = await AuditAsync(Noise / 4, clip: 0.7, seed: 2);

        Assert.InRange(audit.LowerBound(Delta), ClaimedEpsilon(), double.MaxValue);
    }

    private static double ClaimedEpsilon() => new TightAccountant().Epsilon(new RepeatedEvent(new GaussianEvent(Noise), Rounds), Delta).Upper;

    private static async Task<CanaryAudit> AuditAsync(double noise, double clip, long seed)
    {
        var disk = new InMemoryObjectStore();
        var directions = new CanaryDirections(Canaries, (Inputs * Outputs) + Outputs, Block);
        Assert.Equal(4, directions.Blocks);
        var clients = new SimulatedClients(disk, Canaries) { Deltas = (plan, client, _) => directions.Update(Number(client), plan.Round, clip) };
        var coins = new DeterministicRandom(seed);
        var isIn = clients.Ids.Select(_ => (coins.NextUInt64() & 1) == 1).ToArray();
        clients.Silent.UnionWith(clients.Ids.Where(client => !isIn[Number(client)]));
        await PrepareAsync(disk, clients, noise, clip);
        await using var federation = new SimulatedFederation(disk, clients);

        Assert.Equal(RunStates.Completed, (await federation.RunAsync()).State);

        var (scores, before) = (new double[Canaries], Read(disk, PlanOf(disk, 1).BaseVersion));
        for (var round = 1; round <= Rounds; round++)
        {
            var after = Read(disk, $"{SimulatedFederation.RunId}-r{round}");
            var step = after.Zip(before, (now, then) => (double)now - then).ToArray();
            for (var canary = 0; canary < Canaries; canary++)
            {
                scores[canary] += directions.Score(canary, round, step);
            }

            before = after;
        }

        var guessed = CanaryDirections.Guess(scores, Guesses);
        return new CanaryAudit(Canaries, Guesses, guessed.Index().Count(guess => guess.Item == isIn[guess.Index]));
    }

    private static async Task PrepareAsync(InMemoryObjectStore disk, SimulatedClients clients, double noise, double clip)
    {
        foreach (var client in clients.Ids)
        {
            await disk.PutBytesAsync(StoreNames.Member("default", client), default, PutCondition.CreateOnce, CancellationToken.None);
        }

        var spec = SimulatedFederation.Spec(Rounds) with
        {
            RetainUpdates = false,
            Architecture = new ArchitectureSpec { Name = Architectures.Softmax, Inputs = Inputs, Outputs = Outputs },
            Selection = new SelectionSpec { Kind = Selections.Poisson, Rate = 1, QuarantineAfter = 0 },
            Aggregation = new AggregationSpec { Weighting = Weightings.Uniform },
            Update = new UpdateSpec { BlockCoordinates = Block },
            Privacy = new PrivacySpec { Clients = Canaries, NoiseMultiplier = noise, Clip = clip },
        };
        Assert.Empty(RunSpecValidator.Validate(spec));
        await SimulatedFederation.CreateAsync(disk, spec);
        var budget = new BudgetSetting(PrivacyBudget.LargestEpsilon, Delta, Canaries) { Adaptivity = FilterAdaptivity.ScheduleFixed };
        Assert.Null((await new PrivacyLedger(disk, new ManualTimeProvider()).SetBudgetAsync("default", budget, "officer", CancellationToken.None)).Refusal);
    }

    private static RoundPlan PlanOf(InMemoryObjectStore disk, int round) =>
        JsonSerializer.Deserialize(disk.Peek(StoreNames.Plan(SimulatedFederation.RunId, round)), StoreJson.Default.RoundPlan)!;

    private static int Number(string client) => int.Parse(client[^3..], CultureInfo.InvariantCulture);

    private static float[] Read(InMemoryObjectStore disk, string version) => ModelStateFile.Read(disk.Peek(StoreNames.Weights("digits", version))!).Parameters.ToArray();
}
