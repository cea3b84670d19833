using FedServerless.Activities.Clients;
using FedServerless.Activities.Models;
using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Activities.Rounds;

/// <summary>Step 11: asks the designated clients, or everybody seen lately, to evaluate the round's version.</summary>
internal sealed class OpenEvaluation(IObjectStore store, IPresence presence, ModelCatalog models, IRoundBell bell, TimeProvider time)
    : IActivity<RoundInput, CollectionOpened>
{
    public async Task<CollectionOpened> RunAsync(RoundInput input, CancellationToken cancellationToken)
    {
        var spec = (await store.GetAsync(StoreNames.Run(input.Run), StoreJson.Default.RunDocument, cancellationToken)).Value.Spec;
        var name = StoreNames.EvaluationOpen(input.Run, input.Round);
        var open = await store.FindAsync(name, StoreJson.Default.EvaluationOpenDocument, cancellationToken);
        if (open is null)
        {
            var evaluation = spec.Evaluation ?? throw new InvalidDataException($"Run '{input.Run}' has no evaluation.");
            var version = ModelCatalog.VersionOf(input.Run, input.Round);
            var manifest = await models.ManifestAsync(spec.Model, version, cancellationToken);
            var asked = evaluation.Clients.Count > 0 ? evaluation.Clients : await presence.SeenLatelyAsync(spec.Population, cancellationToken);
            var now = time.GetUtcNow();
            var document = new EvaluationOpenDocument(
                now, now.AddSeconds(evaluation.DeadlineSeconds), spec.Model, version, manifest.Value.Weights, manifest.Value.Layout,
                [.. asked.Order(StringComparer.Ordinal)]);
            open = await store.CreateOnceAsync(name, document, StoreJson.Default.EvaluationOpenDocument, cancellationToken);
        }

        var advertisement = StoreNames.OpenEvaluation(spec.Population, input.Run, input.Round);
        await store.PutBytesAsync(advertisement, default, PutCondition.Overwrite, cancellationToken);
        if (await store.HeadAsync(StoreNames.EvaluationSeal(input.Run, input.Round), cancellationToken) is not null)
        {
            await store.DeleteAsync(advertisement, cancellationToken);
        }

        bell.Ring(spec.Population);
        return new CollectionOpened(open.Value.OpenedAt, open.Value.Deadline);
    }
}

/// <summary>How many evaluations lie there, and whether collecting is over.</summary>
internal sealed class CountEvaluations(IObjectStore store) : IActivity<RoundInput, CollectionCount>
{
    public async Task<CollectionCount> RunAsync(RoundInput input, CancellationToken cancellationToken)
    {
        var open = await store.GetAsync(StoreNames.EvaluationOpen(input.Run, input.Round), StoreJson.Default.EvaluationOpenDocument, cancellationToken);
        var count = await store.CountAsync(StoreNames.Evaluations(input.Run, input.Round), cancellationToken);
        var finished = count >= open.Value.Clients.Count
            || await store.HeadAsync(StoreNames.EvaluationSeal(input.Run, input.Round), cancellationToken) is not null
            || await store.StopReasonAsync(input.Run, cancellationToken) is not null;
        return new CollectionCount(count, finished);
    }
}

/// <summary>Closes and seals the evaluations like receipts; the means and the running best are in the seal.</summary>
internal sealed class SealEvaluation(IObjectStore store, IRoundBell bell, RunLog log) : IActivity<RoundInput, int>
{
    public async Task<int> RunAsync(RoundInput input, CancellationToken cancellationToken)
    {
        var spec = (await store.GetAsync(StoreNames.Run(input.Run), StoreJson.Default.RunDocument, cancellationToken)).Value.Spec;
        var name = StoreNames.EvaluationSeal(input.Run, input.Round);
        var seal = await store.FindAsync(name, StoreJson.Default.EvaluationSealDocument, cancellationToken);
        if (seal is null)
        {
            await store.PutBytesAsync(StoreNames.EvaluationClosing(input.Run, input.Round), default, PutCondition.CreateOnce, cancellationToken);
            var document = await DescribeAsync(input, spec, cancellationToken);
            seal = await store.CreateOnceAsync(name, document, StoreJson.Default.EvaluationSealDocument, cancellationToken);
        }

        await store.DeleteAsync(StoreNames.OpenEvaluation(spec.Population, input.Run, input.Round), cancellationToken);
        bell.Ring(spec.Population);
        await log.WriteAsync(
            input.Run, input.Round, LogKind.VersionEvaluated,
            $"{seal.Value.Clients.Count} clients evaluated the version of round {input.Round} on {seal.Value.Samples} samples.",
            null, seal.Value.Metrics, cancellationToken);
        return seal.Value.Clients.Count;
    }

    private async Task<EvaluationSealDocument> DescribeAsync(RoundInput input, RunSpec spec, CancellationToken cancellationToken)
    {
        var clients = await store.ListIdsAsync(StoreNames.Evaluations(input.Run, input.Round), cancellationToken);
        if (await store.FindRevokedAsync(spec.Population, clients, cancellationToken) is { } revoked)
        {
            clients = [.. clients.Except(revoked, StringComparer.Ordinal)];
        }

        var entries = new List<(long Samples, IReadOnlyDictionary<string, double> Metrics)>(clients.Count);
        foreach (var client in clients)
        {
            var name = StoreNames.Evaluation(input.Run, input.Round, client);
            var evaluation = (await store.GetAsync(name, StoreJson.Default.EvaluationDocument, cancellationToken)).Value.Evaluation;
            entries.Add((Math.Min(evaluation.Samples, spec.Aggregation.MaxSamples), evaluation.Metrics));
        }

        var means = WeightedMetrics.Mean(entries);
        var before = await PreviousAsync(input, cancellationToken);
        var loss = means.TryGetValue(MetricNames.Loss, out var value) ? value : (double?)null;
        var improved = loss is not null && (before?.BestLoss is not { } best || loss < best);

        // Where nobody told a loss, nothing is known to have stopped improving.
        var silent = loss is null ? 0 : 1;
        return new EvaluationSealDocument(
            clients,
            entries.Sum(entry => entry.Samples),
            means,
            improved ? loss : before?.BestLoss,
            improved ? 0 : (before?.SinceBest ?? 0) + silent);
    }

    private async Task<EvaluationSealDocument?> PreviousAsync(RoundInput input, CancellationToken cancellationToken)
    {
        for (var round = input.Round - 1; round >= 1; round--)
        {
            var seal = await store.FindAsync(StoreNames.EvaluationSeal(input.Run, round), StoreJson.Default.EvaluationSealDocument, cancellationToken);
            if (seal is not null)
            {
                return seal.Value;
            }
        }

        return null;
    }
}
