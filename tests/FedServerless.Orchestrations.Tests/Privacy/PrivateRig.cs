using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FedServerless.Activities.Privacy;
using FedServerless.Activities.Rounds;
using FedServerless.Activities.State;
using FedServerless.Model;
using FedServerless.Privacy;
using FedServerless.Storage;
using FedServerless.Testing;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Rounds;
using FedServerless.Workflows.Runs;

namespace FedServerless.Orchestrations.Tests.Privacy;

/// <summary>A population with a budget, its clients, and a private run that is ready to start.</summary>
internal sealed class PrivateRig : IAsyncDisposable
{
    public const string Population = "default";

    // As little noise as a budget admits for one round: 0.15·C/(qN) a coordinate, so that a mean can be told from what it is not.
    public const double LittleNoise = 0.15;

    // Chance leaves six deviations once in 5·10⁸ values.
    public const double Deviations = 6;

    public static readonly RoundInput Round = new(SimulatedFederation.RunId, 1);

    private PrivateRig(InMemoryObjectStore disk, SimulatedClients clients, PrivacyLedger ledger, Func<IObjectStore, IObjectStore>? wrap, Repeat repeat)
    {
        (Disk, Clients, Ledger) = (disk, clients, ledger);
        Kept = new KeepingStore(disk);
        Federation = new SimulatedFederation(disk, clients, wrap?.Invoke(Kept) ?? Kept, repeat: repeat);
    }

    public InMemoryObjectStore Disk { get; }

    /// <summary>Everything that the federation wrote.</summary>
    public KeepingStore Kept { get; }

    public SimulatedClients Clients { get; }

    public SimulatedFederation Federation { get; }

    public PrivacyLedger Ledger { get; }

    public RoundPlan Plan => PlanOf(Disk, 1);

    /// <param name="count">Clients of the population.</param>
    /// <param name="spec">The run; N is the number of clients unless it declares more.</param>
    /// <param name="prepare">Sets the clients up.</param>
    /// <param name="wrap">What stands between the federation and the store that keeps everything.</param>
    /// <param name="repeat">How often activities run.</param>
    /// <param name="epsilon">The budget.</param>
    /// <param name="model">Version 0, where the spec has no architecture.</param>
    public static async Task<PrivateRig> OpenAsync(
        int count, RunSpec spec, Action<SimulatedClients>? prepare = null, Func<IObjectStore, IObjectStore>? wrap = null, Repeat repeat = Repeat.Never,
        double epsilon = PrivacyBudget.LargestEpsilon, ModelState? model = null)
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, count);
        prepare?.Invoke(clients);
        if (model is not null)
        {
            await SimulatedFederation.AdoptAsync(disk, "digits", model);
        }

        return new PrivateRig(disk, clients, await PrepareAsync(disk, clients, spec, epsilon), wrap, repeat);
    }

    public ValueTask DisposeAsync() => Federation.DisposeAsync();

    public Task<RunResult> RunAsync() => Federation.RunAsync();

    /// <summary>Goes through the first round until the verdicts are in.</summary>
    public async Task ToAcceptedAsync()
    {
        var (activities, none) = (Federation.Activities, CancellationToken.None);
        await activities.DecideStep.RunAsync(new RunProgress(SimulatedFederation.RunId), none);
        await activities.OpenRound.RunAsync(Round, none);
        await Clients.AnswerAsync(Round.Run, Round.Round, none);
        await activities.SealRound.RunAsync(Round, none);
        await activities.ValidateUpdates.RunAsync(new ValidationChunk(Round.Run, Round.Round, 0), none);
        await activities.AcceptUpdates.RunAsync(Round, none);
    }

    public Task<bool> IsChargedAsync(int round = 1) => Ledger.IsChargedAsync(Population, SimulatedFederation.RunId, round, CancellationToken.None);

    /// <summary>Rounds in the ledger that are charged.</summary>
    public async Task<int> ChargesAsync() =>
        (await Ledger.ReadAsync(Population, CancellationToken.None)).Keys.Count(key => key.Value.Status == LedgerStatus.Charged);

    /// <summary>The noised sums of a round that were ever stored; closing leaves an empty one.</summary>
    public IReadOnlyList<byte[]> Draws(int round = 1) =>
        [.. Kept.Versions(StoreNames.NoisySum(SimulatedFederation.RunId, round, 0)).Where(bytes => bytes.Length > 0)];

    /// <summary>What the first round added to the first version.</summary>
    public float[] Step => StepOf(Disk);

    public RoundOutcomeDocument Outcome => OutcomeOf(Disk);

    public AcceptedDocument Accepted => AcceptedOf(Disk);

    public T Read<T>(string name, JsonTypeInfo<T> type) => Read(Disk, name, type);

    /// <summary>The version is its parent plus the one draw that is stored, and nothing else.</summary>
    public void AssertPublishedFromOneDraw(int round = 1)
    {
        var plan = PlanOf(Disk, round);
        var noisy = MemoryMarshal.Cast<byte, long>(PartialSum.Values(Assert.Single(Draws(round)))).ToArray();
        var mean = new double[noisy.Length];
        plan.Privacy!.Grid.Complete(noisy, plan.Privacy.Terms.Denominator, mean);
        var before = VersionOf(Disk, plan.BaseVersion);
        var after = VersionOf(Disk, $"run-r{round}");
        Assert.Equal(before.Parameters.ToArray().Zip(mean, (value, step) => (float)(value + step)), after.Parameters.ToArray());
    }

    public static RunSpec Spec(double noise, double clip = 1, double rate = 1, bool adaptive = false) => SimulatedFederation.Spec() with
    {
        RetainUpdates = false,
        Selection = new SelectionSpec { Kind = Selections.Poisson, Rate = rate, QuarantineAfter = 0 },
        Aggregation = new AggregationSpec { Weighting = Weightings.Uniform },
        Privacy = new PrivacySpec { Clients = 1, NoiseMultiplier = noise, Clip = clip, AdaptiveClip = adaptive ? new AdaptiveClipSpec { BitNoise = Math.Max(0.5, noise) } : null },
    };

    /// <summary>A vector of this length along the client's own coordinate.</summary>
    public static float[] Along(string client, float length, long parameters)
    {
        var delta = new float[parameters];
        delta[int.Parse(client[^3..]) % parameters] = length;
        return delta;
    }

    /// <summary>Everybody sends a delta of this length along a coordinate of its own.</summary>
    public static Func<RoundPlan, string, long, float[]> EachAlong(float length) => (_, client, parameters) => Along(client, length, parameters);

    /// <summary>Members, a budget, and the run; N is the number of clients unless the spec declares more.</summary>
    public static async Task<PrivacyLedger> PrepareAsync(InMemoryObjectStore disk, SimulatedClients clients, RunSpec spec, double epsilon = PrivacyBudget.LargestEpsilon)
    {
        foreach (var client in clients.Ids)
        {
            await disk.PutBytesAsync(StoreNames.Member(Population, client), default, PutCondition.CreateOnce, CancellationToken.None);
        }

        if (spec.Privacy is { Clients: 1 })
        {
            spec = spec with { Privacy = spec.Privacy with { Clients = clients.Ids.Count } };
        }

        Assert.Empty(RunSpecValidator.Validate(spec with { RetainUpdates = spec.Privacy is null && spec.RetainUpdates }));
        await SimulatedFederation.CreateAsync(disk, spec);
        var ledger = new PrivacyLedger(disk, new ManualTimeProvider());
        var answer = await ledger.SetBudgetAsync(
            Population, new BudgetSetting(epsilon, 1e-10, clients.Ids.Count) { Adaptivity = FilterAdaptivity.ScheduleFixed }, "officer", CancellationToken.None);
        Assert.Null(answer.Refusal);
        return ledger;
    }

    /// <summary>What the first round added to the first version.</summary>
    public static float[] StepOf(InMemoryObjectStore disk)
    {
        var before = VersionOf(disk, PlanOf(disk, 1).BaseVersion);
        var after = VersionOf(disk, "run-r1");
        return [.. after.Parameters.ToArray().Zip(before.Parameters.ToArray(), (now, then) => now - then)];
    }

    public static RoundPlan PlanOf(InMemoryObjectStore disk, int round) => Read(disk, StoreNames.Plan(Round.Run, round), StoreJson.Default.RoundPlan);

    public static RoundOutcomeDocument OutcomeOf(InMemoryObjectStore disk) => Read(disk, StoreNames.RoundOutcome(Round.Run, 1), StoreJson.Default.RoundOutcomeDocument);

    public static AcceptedDocument AcceptedOf(InMemoryObjectStore disk) => Read(disk, StoreNames.Accepted(Round.Run, 1), StoreJson.Default.AcceptedDocument);

    private static T Read<T>(InMemoryObjectStore disk, string name, JsonTypeInfo<T> type) => JsonSerializer.Deserialize(disk.Peek(name)!, type)!;

    private static ModelState VersionOf(InMemoryObjectStore disk, string version) => ModelStateFile.Read(disk.Peek(StoreNames.Weights("digits", version))!);
}
