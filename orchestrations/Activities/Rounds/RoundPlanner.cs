using FedServerless.Activities.Clients;
using FedServerless.Activities.Models;
using FedServerless.Activities.State;
using FedServerless.Capacity;
using FedServerless.Numerics;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Wire.Updates;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Activities.Rounds;

/// <summary>
/// Makes every default and every random choice of a round, written once. A copy that comes second gets what is stored, never
/// what it computed. The cohort is written first, under its own digest, so that a plan never names what is not there.
/// </summary>
internal sealed class RoundPlanner(IObjectStore store, IPresence presence, ModelCatalog models, StandingBook standings)
{
    private const string RoundPurpose = "round";

    /// <summary>The round's plan: the stored one, or else one made now.</summary>
    /// <param name="input">The round.</param>
    /// <param name="seen">Who was seen lately; null to look.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<Stored<RoundPlan>> PlanAsync(RoundInput input, IReadOnlyList<string>? seen, CancellationToken cancellationToken)
    {
        var name = StoreNames.Plan(input.Run, input.Round);
        return await store.FindAsync(name, StoreJson.Default.RoundPlan, cancellationToken)
            ?? await store.CreateOnceAsync(name, await MakeAsync(input, seen, cancellationToken), StoreJson.Default.RoundPlan, cancellationToken);
    }

    private async Task<RoundPlan> MakeAsync(RoundInput input, IReadOnlyList<string>? seen, CancellationToken cancellationToken)
    {
        var spec = (await store.GetAsync(StoreNames.Run(input.Run), StoreJson.Default.RunDocument, cancellationToken)).Value.Spec;
        var served = await models.ServedAsync(spec.Model, cancellationToken)
            ?? throw new InvalidDataException($"Model '{spec.Model}' has no version; it had one when the run began.");
        var layout = await models.LayoutAsync(served.Value.Weights, cancellationToken);
        var cohort = await SelectAsync(spec, input.Round, seen, cancellationToken);
        var reference = await WriteCohortAsync(input, cohort, cancellationToken);
        var shardCoordinates = ShardLayout.Coordinates(layout.FloatCount);
        var update = Fitting(spec, cohort.Length);
        var shape = UpdateShape.Create(layout, update);
        var size = RoundSize.Of(shape, update.PartBytes, shardCoordinates, cohort.Length);
        var awaited = spec.Selection.Kind == Selections.Uniform ? Math.Min(spec.Selection.Clients ?? 1, cohort.Length) : cohort.Length;
        return new RoundPlan
        {
            Run = input.Run,
            Round = input.Round,
            Population = spec.Population,
            Model = spec.Model,
            BaseVersion = served.Value.Version,
            Base = served.Value.Weights,
            OptimizerState = served.Value.Optimizer == spec.Optimizer.Name ? served.Value.OptimizerState : null,
            Layout = layout.Digest,
            Parameters = layout.ParameterCount,
            Buffers = layout.BufferCount,
            Training = spec.Training,
            Aggregation = spec.Aggregation,
            Optimizer = spec.Optimizer,
            Update = update,
            Seed = DeterministicRandom.DeriveSeed(spec.Seed, RoundPurpose, input.Round),
            Cohort = reference,
            Quorum = Math.Min(spec.Round.Quorum ?? awaited, cohort.Length),
            Minimum = spec.Round.Minimum,
            DeadlineSeconds = spec.Round.DeadlineSeconds,
            ShardCoordinates = shardCoordinates,
            ModelCopies = spec.Update.ModelCopies ?? ModelReplicas.ForRound(cohort.Length, seen?.Count ?? cohort.Length, spec.Round.DeadlineSeconds),
            Reduction = ReductionPlan.Choose(size, spec.Aggregation.Levels),
            RetainUpdates = spec.RetainUpdates,
        };
    }

    /// <summary>Rules that look at all clients at once get blocks so short that one of each client fits an activity's memory.</summary>
    private static UpdateSpec Fitting(RunSpec spec, int cohort)
    {
        var block = spec.Update.BlockCoordinates;
        while (spec.Aggregation.NeedsAllTogether() && block > RunLimits.MinBlockCoordinates && (long)cohort * block * sizeof(float) > RobustRound.BlockBudget)
        {
            block /= 2;
        }

        return spec.Update with { BlockCoordinates = block };
    }

    private async Task<string[]> SelectAsync(RunSpec spec, int round, IReadOnlyList<string>? seen, CancellationToken cancellationToken)
    {
        if (spec.Selection.Kind == Selections.Poisson)
        {
            var prefix = StoreNames.Members(spec.Population);
            var members = new List<string>();
            await foreach (var member in store.ListAsync(prefix, cancellationToken))
            {
                members.Add(member.Name[prefix.Length..]);
            }

            var drawn = ClientSelection.Poisson(members, spec.Selection.Rate ?? 1, spec.Seed, round);
            return spec.Aggregation.RootClient is { } trusted ? ClientSelection.With(drawn, trusted) : drawn;
        }

        var root = spec.Aggregation.RootClient;
        seen ??= await presence.SeenLatelyAsync(spec.Population, cancellationToken);
        if (spec.Selection.MinReputation is { } least)
        {
            var reputations = await standings.ReputationsAsync(spec.Population, cancellationToken);
            seen = [.. seen.Where(client => reputations.GetValueOrDefault(client, ClientStanding.Fresh.Reputation) >= least)];
        }

        var selected = spec.Selection.Kind == Selections.Uniform
            ? ClientSelection.Uniform(seen, ClientSelection.Invited(spec.Selection), spec.Seed, round)
            : [.. seen];
        return root is null ? selected : ClientSelection.With(selected, root);
    }

    private async Task<CohortReference> WriteCohortAsync(RoundInput input, string[] cohort, CancellationToken cancellationToken)
    {
        var reference = Cohort.Describe(cohort);
        foreach (var shard in cohort.GroupBy(client => Cohort.ShardOf(client, reference.Shards)))
        {
            await store.PutAsync(
                StoreNames.CohortShard(input.Run, input.Round, reference.Digest, shard.Key),
                new CohortShardDocument([.. shard]),
                StoreJson.Default.CohortShardDocument,
                PutCondition.CreateOnce,
                cancellationToken);
        }

        return reference;
    }
}
