using System.Security.Cryptography;
using FedServerless.Activities.Models;
using FedServerless.Activities.State;
using FedServerless.Model;
using FedServerless.Optimization;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Activities.Rounds;

/// <summary>
/// Step 10: streams the slices into the version's files, writes the manifest, then moves the model's pointer from its parent to
/// itself. Nothing that depends on time, host or run enters the weights' bytes.
/// </summary>
internal sealed class PublishModel(IObjectStore store, RoundReader rounds, ModelCatalog models) : IActivity<RoundInput, ModelPublished>
{
    public async Task<ModelPublished> RunAsync(RoundInput input, CancellationToken cancellationToken)
    {
        if (await OutcomeAsync(input.Run, input.Round, cancellationToken) is { } over)
        {
            return over;
        }

        var plan = await rounds.PlanAsync(input.Run, input.Round, cancellationToken);
        var version = ModelCatalog.VersionOf(input.Run, input.Round);
        var before = await store.FindAsync(StoreNames.Manifest(plan.Value.Model, version), StoreJson.Default.ModelManifest, cancellationToken);
        if (before is not null && !await IsOursAsync(before.Value, plan, cancellationToken))
        {
            return new ModelPublished(null, $"version {version} exists already, from an earlier run of this name; create the run under another id");
        }

        if (await WhoMovedPointerAsync(plan.Value, version, cancellationToken) is { } elsewhere)
        {
            return elsewhere;
        }

        var layout = await models.LayoutAsync(plan.Value.Base, cancellationToken);
        var weights = await WriteWeightsAsync(plan.Value, layout, version, cancellationToken);
        var state = await WriteStateAsync(plan.Value, version, cancellationToken);
        var solver = await WriteSolverAsync(plan.Value, version, cancellationToken);
        var manifest = await WriteManifestAsync(plan, version, weights, state, solver, cancellationToken);
        return await MovePointerAsync(plan.Value, version, manifest.Digest, cancellationToken);
    }

    /// <summary>Whether a version of our name came from this very plan: a deleted run's versions keep theirs.</summary>
    private async Task<bool> IsOursAsync(ModelManifest manifest, Stored<RoundPlan> plan, CancellationToken cancellationToken) => plan.Value.Privacy is null
        ? manifest.Plan == plan.Digest
        : manifest.Privacy?.Commitment == await CommitAsync(plan, cancellationToken);

    /// <summary>Binds a version to the plan and the seal that made it, and tells nobody who was in them: SHA-256 of a secret salt, then both digests.</summary>
    private async Task<Digest> CommitAsync(Stored<RoundPlan> plan, CancellationToken cancellationToken)
    {
        var (run, round) = (plan.Value.Run, plan.Value.Round);
        var fresh = new CommitmentDocument(Convert.ToBase64String(RandomNumberGenerator.GetBytes(Digest.Size)));
        var stored = await store.CreateOnceAsync(StoreNames.Commitment(run, round), fresh, StoreJson.Default.CommitmentDocument, cancellationToken);
        var seal = await store.GetAsync(StoreNames.Seal(run, round), StoreJson.Default.SealDocument, cancellationToken);
        return Digest.Of([.. Convert.FromBase64String(stored.Value.Salt), .. plan.Digest.AsSpan(), .. seal.Digest.AsSpan()]);
    }

    private Task<StoredArtifact> WriteWeightsAsync(RoundPlan plan, TensorLayout layout, string version, CancellationToken cancellationToken)
    {
        var file = CanonicalModelFile.Create(layout);
        var slices = Enumerable.Range(0, RoundGeometry.ShardCount(plan)).Select(shard => SliceNames.Weights(plan.Run, plan.Round, shard));
        if (layout.IntegerCount > 0)
        {
            slices = slices.Prepend(SliceNames.Integers(plan.Run, plan.Round));
        }

        return WriteAsync(StoreNames.Weights(plan.Model, version), file, slices, cancellationToken);
    }

    private async Task<StoredArtifact?> WriteStateAsync(RoundPlan plan, string version, CancellationToken cancellationToken)
    {
        var names = ServerOptimizers.Create(plan.Optimizer).StateNames;
        if (names.Count == 0)
        {
            return null;
        }

        var layout = TensorLayout.Create(names.Select(name => new TensorSpec(name, [(int)plan.Parameters], TensorRole.Parameter)));
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["fed.optimizer"] = plan.Optimizer.Name };
        var shards = Enumerable.Range(0, RoundGeometry.ShardCount(plan)).Where(shard => !RoundGeometry.Range(plan, shard).IsBuffers).ToList();
        var slices = names.SelectMany(name => shards.Select(shard => SliceNames.State(plan.Run, plan.Round, shard, name)));
        return await WriteAsync(StoreNames.OptimizerState(plan.Model, version), CanonicalModelFile.Create(layout, metadata), slices, cancellationToken);
    }

    private async Task<SolverState?> WriteSolverAsync(RoundPlan plan, string version, CancellationToken cancellationToken)
    {
        if (plan.Solver is not { } solver)
        {
            return null;
        }

        var slices = Enumerable.Range(0, RoundGeometry.ParameterShards(plan)).Select(shard => SliceNames.SolverSum(plan.Run, plan.Round, shard));
        var file = CanonicalModelFile.Create(RoundGeometry.SumLayout(plan));
        return new SolverState(
            plan.Training.Solver, solver.Since, await WriteAsync(StoreNames.SolverSum(plan.Model, version), file, slices, cancellationToken));
    }

    private async Task<StoredArtifact> WriteAsync(
        string name, CanonicalModelFile file, IEnumerable<string> slices, CancellationToken cancellationToken)
    {
        if (await store.HeadAsync(name, cancellationToken) is null)
        {
            await using var stream = new SliceStream(store, file.Header, slices);
            var put = await store.PutAsync(name, stream, file.Length, PutCondition.CreateOnce, cancellationToken);
            if (put.Written)
            {
                return new StoredArtifact(name, file.Length, stream.ReadDigest());
            }
        }

        // Written before, by this activity's earlier attempt or a copy of it: the stored bytes are the truth.
        return await store.DescribeAsync(name, cancellationToken);
    }

    private async Task<Stored<ModelManifest>> WriteManifestAsync(
        Stored<RoundPlan> plan, string version, StoredArtifact weights, StoredArtifact? state, SolverState? solver, CancellationToken cancellationToken)
    {
        var (run, round, model) = (plan.Value.Run, plan.Value.Round, plan.Value.Model);
        var parent = await models.ManifestAsync(model, plan.Value.BaseVersion, cancellationToken);
        if (plan.Value.Privacy is { } privacy)
        {
            var silent = new ModelManifest(
                model, version, parent.Value.Version, parent.Digest, run, round, weights, state, state is null ? null : plan.Value.Optimizer.Name,
                plan.Value.Layout, null, null, null, 0, new Dictionary<string, double>(),
                new ManifestPrivacy(await CommitAsync(plan, cancellationToken), privacy.Release));
            return await store.CreateOnceAsync(StoreNames.Manifest(model, version), silent, StoreJson.Default.ModelManifest, cancellationToken);
        }

        var seal = await store.GetAsync(StoreNames.Seal(run, round), StoreJson.Default.SealDocument, cancellationToken);
        var accepted = await store.GetAsync(StoreNames.Accepted(run, round), StoreJson.Default.AcceptedDocument, cancellationToken);
        var verdicts = await store.ReadVerdictsAsync(plan.Value, cancellationToken);
        var sound = verdicts.Where(verdict => verdict.Reason is null);
        var manifest = new ModelManifest(
            model, version, parent.Value.Version, parent.Digest, run, round, weights, state,
            state is null ? null : plan.Value.Optimizer.Name, plan.Value.Layout, plan.Digest, seal.Digest, accepted.Digest,
            accepted.Value.Accepted.Count, WeightedMetrics.Mean([.. sound.Select(verdict => (verdict.Samples, verdict.Metrics))]),
            Solver: solver);
        return await store.CreateOnceAsync(StoreNames.Manifest(model, version), manifest, StoreJson.Default.ModelManifest, cancellationToken);
    }

    private async Task<ModelPublished> MovePointerAsync(RoundPlan plan, string version, Digest manifest, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await WhoMovedPointerAsync(plan, version, cancellationToken) is { } elsewhere)
            {
                return elsewhere;
            }

            var name = StoreNames.ModelPointer(plan.Model);
            var pointer = await store.GetAsync(name, StoreJson.Default.PointerDocument, cancellationToken);
            if (pointer.Value.Version != plan.BaseVersion)
            {
                continue;
            }

            // Looked for after the pointer was read: had another copy moved it before, closed the round and the operator rolled it
            // back to our parent, the outcome would be here; had it moved since, the swap fails.
            if (await OutcomeAsync(plan.Run, plan.Round, cancellationToken) is { } over)
            {
                return over;
            }

            var put = await store.PutAsync(
                name, new PointerDocument(version, manifest), StoreJson.Default.PointerDocument, PutCondition.IfMatch(pointer.ETag), cancellationToken);
            if (put.Written)
            {
                return new ModelPublished(version, null);
            }
        }
    }

    private async Task<ModelPublished?> OutcomeAsync(string run, int round, CancellationToken cancellationToken)
    {
        var outcome = await store.FindAsync(StoreNames.RoundOutcome(run, round), StoreJson.Default.RoundOutcomeDocument, cancellationToken);
        return outcome is null ? null : new ModelPublished(outcome.Value.Version, outcome.Value.Reason);
    }

    /// <summary>Null while the pointer is at the parent; else what that means: this version or a descendant of it is served, or somebody else's.</summary>
    private async Task<ModelPublished?> WhoMovedPointerAsync(RoundPlan plan, string version, CancellationToken cancellationToken)
    {
        var served = await models.ServedAsync(plan.Model, cancellationToken)
            ?? throw new InvalidDataException($"The pointer of model '{plan.Model}' is gone.");
        if (served.Value.Version == plan.BaseVersion)
        {
            return null;
        }

        return await DescendsAsync(served.Value, plan, version, cancellationToken)
            ? new ModelPublished(version, null)
            : new ModelPublished(null, $"the model's pointer moved from {plan.BaseVersion} to {served.Value.Version} while the round ran");
    }

    /// <summary>True when the version is the one served or among its ancestors: this run or another trained on from it.</summary>
    private async Task<bool> DescendsAsync(ModelManifest served, RoundPlan plan, string version, CancellationToken cancellationToken)
    {
        for (var manifest = served; manifest.Version != version;)
        {
            if (manifest.Parent is not { } parent || parent == plan.BaseVersion)
            {
                return false;
            }

            manifest = (await models.ManifestAsync(plan.Model, parent, cancellationToken)).Value;
        }

        return true;
    }
}
