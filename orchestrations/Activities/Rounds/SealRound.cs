using FedServerless.Activities.Clients;
using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Activities.Rounds;

/// <summary>
/// Step 6: one object decides a round. <c>closing</c> comes first, then the receipts are listed, then <c>seal</c> is created;
/// a receipt written before <c>closing</c> existed is therefore in the list, which is what a commit answered 201 promises.
/// </summary>
internal sealed class SealRound(IObjectStore store, RunLog log) : IActivity<RoundInput, RoundSealed>
{
    public async Task<RoundSealed> RunAsync(RoundInput input, CancellationToken cancellationToken)
    {
        var plan = (await store.GetAsync(StoreNames.Plan(input.Run, input.Round), StoreJson.Default.RoundPlan, cancellationToken)).Value;
        var name = StoreNames.Seal(input.Run, input.Round);
        var seal = await store.FindAsync(name, StoreJson.Default.SealDocument, cancellationToken);
        if (seal is null)
        {
            await store.PutBytesAsync(StoreNames.Closing(input.Run, input.Round), default, PutCondition.CreateOnce, cancellationToken);
            var receipts = await store.ListIdsAsync(StoreNames.Receipts(input.Run, input.Round), cancellationToken);
            var decision = await DecideAsync(plan, receipts, cancellationToken);
            seal = await store.CreateOnceAsync(name, decision, StoreJson.Default.SealDocument, cancellationToken);
        }

        var count = seal.Value.Receipts.Count;
        await log.WriteAsync(
            input.Run, input.Round, LogKind.RoundSealed,
            seal.Value.Aggregate ? $"Round {input.Round} was sealed with {count} receipts ({seal.Value.Reason})." : $"Round {input.Round} was sealed as abandoned: {seal.Value.Reason}.",
            null, new SortedDictionary<string, double>(StringComparer.Ordinal) { ["receipts"] = count }, cancellationToken);
        return new RoundSealed(seal.Value.Aggregate, RoundTasks.Of(plan, count).Validations(count));
    }

    private async Task<SealDocument> DecideAsync(RoundPlan plan, List<string> receipts, CancellationToken cancellationToken)
    {
        if (await store.StopReasonAsync(plan.Run, cancellationToken) is { } stopped)
        {
            return new SealDocument(false, stopped, receipts);
        }

        if (plan.Cohort.Count == 0 && plan.Privacy is null)
        {
            return new SealDocument(false, "chance selected nobody", receipts);
        }

        if (receipts.Count < plan.Minimum)
        {
            return new SealDocument(false, $"{receipts.Count} receipts by the deadline, at least {plan.Minimum} were needed", receipts);
        }

        // Their receipts stay in the seal, as their 201 promised; their updates do not enter the model.
        var revoked = await store.FindRevokedAsync(plan.Population, receipts, cancellationToken);
        var invited = new HashSet<string>(await store.ReadCohortAsync(plan, cancellationToken), StringComparer.Ordinal);
        var uninvited = receipts.Where(client => !invited.Contains(client)).ToList();
        return new SealDocument(true, receipts.Count >= plan.Quorum ? "quorum" : "deadline", receipts, revoked, uninvited);
    }
}
