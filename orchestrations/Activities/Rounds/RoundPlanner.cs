using FedServerless.Activities.Clients;
using FedServerless.Activities.Models;
using FedServerless.Activities.Privacy;
using FedServerless.Activities.State;
using FedServerless.Adaptation;
using FedServerless.Capacity;
using FedServerless.Compression;
using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Optimization;
using FedServerless.Privacy;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Wire.Downloads;
using FedServerless.Wire.Updates;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Activities.Rounds;

/// <summary>
/// Makes every default and every random choice of a round, written once. A copy that comes second gets what is stored, never
/// what it computed. The cohort is written first, under its own digest, so that a plan never names what is not there.
/// </summary>
internal sealed class RoundPlanner(IObjectStore store, IPresence presence, ModelCatalog models, StandingBook standings, PrivacyLedger ledger)
{
    private const string RoundPurpose = "round";
    private const string MaskPurpose = "mask";

    /// <summary>The round's plan: the stored one, or else one made now. A private round's charge is reserved before anybody is selected.</summary>
    /// <param name="input">The round.</param>
    /// <param name="seen">Who was seen lately; null to look.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<PlannedRound> PlanAsync(RoundInput input, IReadOnlyList<string>? seen, CancellationToken cancellationToken)
    {
        var name = StoreNames.Plan(input.Run, input.Round);
        if (await store.FindAsync(name, StoreJson.Default.RoundPlan, cancellationToken) is { } stored)
        {
            return new PlannedRound(stored, null);
        }

        var run = (await store.GetAsync(StoreNames.Run(input.Run), StoreJson.Default.RunDocument, cancellationToken)).Value;
        var served = await models.ServedAsync(run.Spec.Model, cancellationToken)
            ?? throw new InvalidDataException($"Model '{run.Spec.Model}' has no version; it had one when the run began.");
        var layout = await models.LayoutAsync(served.Value.Weights, cancellationToken);
        var privacy = await PrivacyAsync(run, input.Round, layout, cancellationToken);
        if (await RefuseAsync(run, input.Round, layout, privacy, cancellationToken) is { } refusal)
        {
            return new PlannedRound(null, refusal);
        }

        var plan = await MakeAsync(run.Spec, input, served.Value, layout, privacy, seen, cancellationToken);
        return new PlannedRound(await store.CreateOnceAsync(name, plan, StoreJson.Default.RoundPlan, cancellationToken), null);
    }

    /// <summary>Clip and grid of a private round; the clip is the last one that an earlier round of the run came to.</summary>
    private async Task<RoundPrivacy?> PrivacyAsync(RunDocument run, int round, TensorLayout layout, CancellationToken cancellationToken)
    {
        if (run.Spec.Privacy is null)
        {
            return null;
        }

        var terms = run.Privacy ?? PrivacyTerms.Of(run.Spec);
        var clip = terms.Clip;
        for (var before = round - 1; before > 0 && terms.AdaptiveClip is not null; before--)
        {
            if (await store.FindAsync(StoreNames.Clip(run.Id, before), StoreJson.Default.ClipDocument, cancellationToken) is { } last)
            {
                clip = last.Value.Next;
                break;
            }
        }

        return new RoundPrivacy(clip, UpdateGrid.BitsFor(Math.Max(1, layout.ParameterCount)), terms);
    }

    /// <summary>Why the run may not go on, or null; then a private round's charge is reserved.</summary>
    private async Task<PlanRefusal?> RefuseAsync(RunDocument run, int round, TensorLayout layout, RoundPrivacy? privacy, CancellationToken cancellationToken)
    {
        try
        {
            return await AskLedgerAsync(run, round, layout, privacy, cancellationToken);
        }
        catch (LedgerBrokenException broken)
        {
            // No retry mends it, and nobody knows any more what was spent.
            return new PlanRefusal(RunStates.Failed, broken.Message);
        }
    }

    private async Task<PlanRefusal?> AskLedgerAsync(RunDocument run, int round, TensorLayout layout, RoundPrivacy? privacy, CancellationToken cancellationToken)
    {
        var population = run.Spec.Population;
        if (privacy is null)
        {
            return await ledger.IsGuardedAsync(population, cancellationToken)
                ? new PlanRefusal(RunStates.Failed, $"population '{population}' has a privacy budget, and a run without privacy would release models beyond it")
                : null;
        }

        if (layout.BufferCount + layout.IntegerCount > 0)
        {
            return new PlanRefusal(
                RunStates.Failed,
                $"model '{run.Spec.Model}' has {layout.BufferCount} buffer values and {layout.IntegerCount} integers, which no noise covers: use normalisation without running statistics");
        }

        var answer = await ledger.ReserveAsync(population, run.Id, round, privacy.Release, cancellationToken);
        return answer.Admitted ? null : new PlanRefusal(RunStates.BudgetSpent, answer.Refusal ?? "the privacy budget is spent");
    }

    private async Task<RoundPlan> MakeAsync(
        RunSpec spec, RoundInput input, ModelManifest served, TensorLayout layout, RoundPrivacy? privacy, IReadOnlyList<string>? seen,
        CancellationToken cancellationToken)
    {
        var cohort = await SelectAsync(spec, input.Round, seen, cancellationToken);
        var reference = await WriteCohortAsync(input, cohort, cancellationToken);
        var shardCoordinates = ShardLayout.Coordinates(layout.FloatCount);
        var seed = DeterministicRandom.DeriveSeed(spec.Seed, RoundPurpose, input.Round);
        spec = spec with { Update = SparseWarmUp.InRound(spec.Update, input.Round) };
        spec = await WithCodecAsync(spec, seed, layout, cohort, cancellationToken);
        var update = Masked(Fitting(spec, cohort.Length), seed);
        var shape = UpdateShape.Create(layout, update);
        var size = RoundSize.Of(shape, update.MinPartBytes ?? update.PartBytes, shardCoordinates, cohort.Length);
        var awaited = spec.Selection.Kind == Selections.Uniform ? Math.Min(spec.Selection.Clients ?? 1, cohort.Length) : cohort.Length;
        var copies = spec.Update.ModelCopies ?? ModelReplicas.ForRound(cohort.Length, seen?.Count ?? cohort.Length, spec.Round.DeadlineSeconds);
        return new RoundPlan
        {
            Run = input.Run,
            Round = input.Round,
            Population = spec.Population,
            Model = spec.Model,
            BaseVersion = served.Version,
            Base = served.Weights,
            OptimizerState = served.Optimizer == spec.Optimizer.Name ? served.OptimizerState : null,
            Layout = layout.Digest,
            Parameters = layout.ParameterCount,
            Buffers = layout.BufferCount,
            Training = spec.Training,
            Aggregation = spec.Aggregation,
            Optimizer = spec.Optimizer,
            Download = spec.Download.IsExact ? null : spec.Download,
            Update = update,
            Seed = seed,
            Cohort = reference,

            // A private round has neither: it waits for its deadline and publishes whoever came.
            Quorum = privacy is null ? Math.Min(spec.Round.Quorum ?? awaited, cohort.Length) : int.MaxValue,
            Minimum = privacy is null ? spec.Round.Minimum : 0,
            DeadlineSeconds = spec.Round.DeadlineSeconds,
            ShardCoordinates = shardCoordinates,

            // Of a version whose own file no device is given, copies would help nobody.
            ModelCopies = spec.Download.Has(DownloadEncodings.Float32) ? copies : 1,
            DownloadCopies = spec.Download.IsExact ? 0 : copies,
            Reduction = ReductionPlan.Choose(size, spec.Aggregation.Levels),
            RetainUpdates = spec.RetainUpdates,
            Adaptation = spec.Adaptation,
            Privacy = privacy,
            Solver = await SolverAsync(input, spec, served, cohort.Length, cancellationToken),
        };
    }

    /// <summary>The spec with the codec that suits the uplinks of the cohort, in a run that lets each round's plan choose.</summary>
    private async Task<RunSpec> WithCodecAsync(RunSpec spec, long seed, TensorLayout layout, string[] cohort, CancellationToken cancellationToken)
    {
        if (spec.Adaptation is not { Codecs.Count: > 0 } policy)
        {
            return spec;
        }

        var uplinks = await presence.UplinksAsync(spec.Population, cancellationToken);
        var measured = cohort.Where(uplinks.ContainsKey).Select(client => uplinks[client]).ToArray();
        var target = AdaptationPolicy.TargetSeconds(policy, spec.Round.DeadlineSeconds);
        return With(AdaptationPolicy.ChooseCodec(policy, spec.Update.Codec, target, cohort.Length, measured, UpdateBytes));

        RunSpec With(string codec) => spec with { Update = spec.Update with { Codec = codec } };

        long UpdateBytes(string codec)
        {
            var other = With(codec);
            var shape = UpdateShape.Create(layout, Masked(other.Update, seed));
            return shape.HeaderLength + shape.MaxPayloadLength;
        }
    }

    /// <summary>One mask for all clients of the round, and another one each round; null where the codec has none.</summary>
    private static UpdateSpec Masked(UpdateSpec update, long roundSeed) =>
        update with { MaskSeed = UpdateCodecs.Of(update).HasMask ? DeterministicRandom.DeriveSeed(roundSeed, MaskPurpose) : null };

    /// <summary>
    /// A memory goes on from round to round of a run, and begins at zero where the model did not come from the run's last published round: clients'
    /// vectors hold all of that run's rounds and could not be taken back to an older version.
    /// </summary>
    private async Task<SolverPlan?> SolverAsync(
        RoundInput input, RunSpec spec, ModelManifest served, int cohort, CancellationToken cancellationToken)
    {
        if (!LocalSolvers.Create(spec.Training).HasMemory)
        {
            return null;
        }

        var members = 0L;
        await foreach (var _ in store.ListAsync(StoreNames.Members(spec.Population), cancellationToken))
        {
            members++;
        }

        var before = input.Round == 1
            ? null
            : await store.FindAsync(StoreNames.RoundOutcome(input.Run, input.Round - 1), StoreJson.Default.RoundOutcomeDocument, cancellationToken);
        var last = input.Round - 1 - (before?.Value.AbandonedInRow ?? 0);
        var goesOn = before?.Value.PublishedRounds > 0 && served.Run == input.Run && served.Round == last && served.Solver?.Name == spec.Training.Solver;
        return new SolverPlan(
            goesOn ? served.Solver!.Since : $"{input.Run}-r{input.Round}", Math.Max(members, Math.Max(cohort, 1)), goesOn ? served.Solver!.Sum : null);
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

            var drawn = spec.Privacy is null
                ? ClientSelection.Poisson(members, spec.Selection.Rate ?? 1, spec.Seed, round)
                : ClientSelection.SecretPoisson(members, spec.Selection.Rate ?? 1);
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

/// <summary>A plan, or why there is none and what becomes of the run.</summary>
internal sealed record PlannedRound(Stored<RoundPlan>? Stored, PlanRefusal? Refusal);

/// <summary>Why a run cannot plan another round.</summary>
/// <param name="State">The final one of <see cref="RunStates"/> that follows.</param>
/// <param name="Reason">For the operator.</param>
internal sealed record PlanRefusal(string State, string Reason);
