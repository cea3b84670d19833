using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Activities.Rounds;

/// <summary>Step 5: how many receipts lie there, and whether collecting is over.</summary>
internal sealed class CountReceipts(IObjectStore store) : IActivity<RoundInput, CollectionCount>
{
    public async Task<CollectionCount> RunAsync(RoundInput input, CancellationToken cancellationToken)
    {
        var plan = (await store.GetAsync(StoreNames.Plan(input.Run, input.Round), StoreJson.Default.RoundPlan, cancellationToken)).Value;
        var receipts = await store.CountAsync(StoreNames.Receipts(input.Run, input.Round), cancellationToken);
        var finished = (receipts >= plan.Quorum && await HasTrustedAsync(plan, cancellationToken))
            || await store.HeadAsync(StoreNames.Seal(input.Run, input.Round), cancellationToken) is not null
            || await store.StopReasonAsync(input.Run, cancellationToken) is not null;
        return new CollectionCount(receipts, finished);
    }

    /// <summary>False while the trusted client's update, without which there is no round, has not come.</summary>
    private async Task<bool> HasTrustedAsync(RoundPlan plan, CancellationToken cancellationToken) =>
        plan.Aggregation.RootClient is not { } root
        || await store.HeadAsync(StoreNames.Receipt(plan.Run, plan.Round, root), cancellationToken) is not null;
}
