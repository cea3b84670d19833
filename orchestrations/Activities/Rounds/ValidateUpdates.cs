using FedServerless.Activities.Models;
using FedServerless.Activities.State;
using FedServerless.Optimization;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Wire.Updates;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Activities.Rounds;

/// <summary>Step 7, the map: verdicts on one chunk of the sealed updates, written once. Memory is one part of one update.</summary>
internal sealed class ValidateUpdates(IObjectStore store, RoundReader rounds, ModelCatalog models, UpdateInspector inspector) : IActivity<ValidationChunk, int>
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
        var seal = await rounds.SealAsync(plan, cancellationToken);
        var revoked = new HashSet<string>(seal.Revoked ?? [], StringComparer.Ordinal);
        var uninvited = new HashSet<string>(seal.Uninvited ?? await LookUpAsync(plan, seal, cancellationToken), StringComparer.Ordinal);
        var size = RoundTasks.Of(plan, seal.Receipts.Count).ValidationClients;
        var integers = new long[shape.Layout.IntegerCount];
        await models.ReadIntegersAsync(plan.Base, integers, cancellationToken);
        var verdicts = new List<Verdict>(size);
        foreach (var client in seal.Receipts.Skip(input.Chunk * size).Take(size))
        {
            var bar = uninvited.Contains(client) ? "the client was not selected for this round"
                : revoked.Contains(client) ? "the client was revoked before the round was sealed"
                : null;
            verdicts.Add(await JudgeAsync(plan, shape, integers, client, bar, cancellationToken));
        }

        stored = await store.CreateOnceAsync(name, new VerdictsDocument(verdicts), StoreJson.Default.VerdictsDocument, cancellationToken);
        return stored.Value.Verdicts.Count;
    }

    /// <summary>For a seal from before the seal said it.</summary>
    private async Task<IEnumerable<string>> LookUpAsync(RoundPlan plan, SealDocument seal, CancellationToken cancellationToken) =>
        seal.Receipts.Except(await store.ReadCohortAsync(plan, cancellationToken), StringComparer.Ordinal);

    private async Task<Verdict> JudgeAsync(
        RoundPlan plan, UpdateShape shape, long[] integers, string client, string? bar, CancellationToken cancellationToken)
    {
        var name = StoreNames.Receipt(plan.Run, plan.Round, client);
        var receipt = (await store.GetAsync(name, StoreJson.Default.ReceiptDocument, cancellationToken)).Value.Receipt;
        var least = plan.Aggregation.MinSamples ?? 1;
        var found = receipt switch
        {
            _ when bar is not null => new Inspection(bar, 0),
            _ when receipt.Samples < least => new Inspection($"it claims {receipt.Samples} samples, expected {least} or more", 0),
            _ when receipt.Client != client => new Inspection("its receipt names another client", 0),
            _ when !await rounds.IsBaseAsync(plan, receipt.BaseDigest, cancellationToken) =>
                new Inspection($"it started from {receipt.BaseDigest}, the round from {plan.Base.Digest}", 0),
            _ => await inspector.InspectAsync(plan, shape, integers, client, receipt, cancellationToken),
        };
        if (plan.Privacy is null)
        {
            long? steps = plan.Training.Solver == LocalSolvers.Sgd || receipt.Samples < 1 ? null : LocalSolvers.Steps(LeaseChoice.Apply(plan.Training, receipt.Choice), receipt.Samples);
            return new Verdict(
                client, found.Reason, receipt.HeaderDigest, found.Norm, Math.Min(receipt.Samples, plan.Aggregation.MaxSamples), receipt.Bytes,
                ChoiceMetrics.Add(receipt), null, steps, receipt.PartBytes);
        }

        // What a client claims beside its update is private, too, and no noise covers it.
        var bit = plan.Privacy.Terms.AdaptiveClip is null ? null : receipt.WithinClip;
        // Lengths too: a sparse update's follows from its values. The outcome counts the most that each may have.
        return new Verdict(
            client, found.Reason, receipt.HeaderDigest, 0, 1, shape.HeaderLength + shape.MaxPayloadLength, new Dictionary<string, double>(),
            found.Scale is { } scale ? new PrivateUpdate(scale, bit) : null, PartBytes: receipt.PartBytes);
    }
}
