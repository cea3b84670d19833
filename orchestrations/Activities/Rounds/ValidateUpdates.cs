using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Wire.Updates;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Activities.Rounds;

/// <summary>Step 7, the map: verdicts on one chunk of the sealed updates, written once. Memory is one part of one update.</summary>
internal sealed class ValidateUpdates(IObjectStore store, RoundReader rounds, UpdateInspector inspector) : IActivity<ValidationChunk, int>
{
    public async Task<int> RunAsync(ValidationChunk input, CancellationToken cancellationToken)
    {
        var name = StoreNames.Verdicts(input.Run, input.Round, input.Chunk);
        var stored = await store.FindAsync(name, StoreJson.Default.VerdictsDocument, cancellationToken);
        if (stored is not null)
        {
            return stored.Value.Verdicts.Count;
        }

        var plan = (await rounds.PlanAsync(input.Run, input.Round, cancellationToken)).Value;
        var shape = await rounds.ShapeAsync(plan, cancellationToken);
        var seal = (await store.GetAsync(StoreNames.Seal(input.Run, input.Round), StoreJson.Default.SealDocument, cancellationToken)).Value;
        var revoked = new HashSet<string>(seal.Revoked ?? [], StringComparer.Ordinal);
        var cohort = new HashSet<string>(await store.ReadCohortAsync(plan, cancellationToken), StringComparer.Ordinal);
        var size = ValidationChunks.Size(seal.Receipts.Count);
        var verdicts = new List<Verdict>(size);
        foreach (var client in seal.Receipts.Skip(input.Chunk * size).Take(size))
        {
            var bar = !cohort.Contains(client) ? "the client was not selected for this round"
                : revoked.Contains(client) ? "the client was revoked before the round was sealed"
                : null;
            verdicts.Add(await JudgeAsync(plan, shape, client, bar, cancellationToken));
        }

        stored = await store.CreateOnceAsync(name, new VerdictsDocument(verdicts), StoreJson.Default.VerdictsDocument, cancellationToken);
        return stored.Value.Verdicts.Count;
    }

    private async Task<Verdict> JudgeAsync(RoundPlan plan, UpdateShape shape, string client, string? bar, CancellationToken cancellationToken)
    {
        var name = StoreNames.Receipt(plan.Run, plan.Round, client);
        var receipt = (await store.GetAsync(name, StoreJson.Default.ReceiptDocument, cancellationToken)).Value.Receipt;
        var samples = Math.Min(receipt.Samples, plan.Aggregation.MaxSamples);
        var (reason, norm) = receipt switch
        {
            _ when bar is not null => (bar, 0),
            { Samples: < 1 } => ($"it claims {receipt.Samples} samples, expected 1 or more", 0),
            _ when receipt.Client != client => ("its receipt names another client", 0),
            _ when receipt.BaseDigest != plan.Base.Digest => ($"it started from {receipt.BaseDigest}, the round from {plan.Base.Digest}", 0),
            _ => await inspector.InspectAsync(plan, shape, client, receipt.HeaderDigest, cancellationToken),
        };
        return new Verdict(client, reason, receipt.HeaderDigest, norm, samples, receipt.Bytes, receipt.Metrics);
    }
}
