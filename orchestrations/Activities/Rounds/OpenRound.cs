using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Activities.Rounds;

/// <summary>Step 3: fixes the deadline, once, and advertises the round to clients.</summary>
internal sealed class OpenRound(IObjectStore store, IRoundBell bell, RunLog log, TimeProvider time) : IActivity<RoundInput, CollectionOpened>
{
    public async Task<CollectionOpened> RunAsync(RoundInput input, CancellationToken cancellationToken)
    {
        var plan = (await store.GetAsync(StoreNames.Plan(input.Run, input.Round), StoreJson.Default.RoundPlan, cancellationToken)).Value;
        var now = time.GetUtcNow();
        var open = await store.CreateOnceAsync(
            StoreNames.Open(input.Run, input.Round),
            new OpenDocument(now, now.AddSeconds(plan.DeadlineSeconds)),
            StoreJson.Default.OpenDocument,
            cancellationToken);

        var advertisement = StoreNames.OpenTraining(plan.Population, input.Run, input.Round);
        await store.PutBytesAsync(advertisement, default, PutCondition.Overwrite, cancellationToken);
        if (await store.HeadAsync(StoreNames.Seal(input.Run, input.Round), cancellationToken) is not null)
        {
            // A stale copy of the workflow must not bring a decided round back.
            await store.DeleteAsync(advertisement, cancellationToken);
        }

        await log.WriteAsync(
            input.Run, input.Round, LogKind.RoundOpened, $"Round {input.Round} is open for {plan.DeadlineSeconds} s.", null, null, cancellationToken);
        bell.Ring(plan.Population);
        return new CollectionOpened(open.Value.OpenedAt, open.Value.Deadline);
    }
}
