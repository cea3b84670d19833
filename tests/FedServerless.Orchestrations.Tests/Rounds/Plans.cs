using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Orchestrations.Tests.Rounds;

/// <summary>Changes what lies in the store before a round goes on.</summary>
internal static class Plans
{
    /// <summary>Lets the run decide and plan round 1 as it would, then rewrites the plan: a plan is create-once, so the round follows it.</summary>
    public static async Task ReplaceAsync(SimulatedFederation federation, Func<RoundPlan, RoundPlan> change)
    {
        var (disk, none) = (federation.Disk, CancellationToken.None);
        await federation.Activities.DecideStep.RunAsync(new Workflows.Runs.RunProgress(SimulatedFederation.RunId), none);
        await federation.Activities.PlanRound.RunAsync(new RoundInput(SimulatedFederation.RunId, 1), none);
        var name = StoreNames.Plan(SimulatedFederation.RunId, 1);
        var plan = await disk.GetAsync(name, StoreJson.Default.RoundPlan, none);
        await disk.PutAsync(name, change(plan.Value), StoreJson.Default.RoundPlan, PutCondition.Overwrite, none);
    }

    /// <summary>Somebody else publishes a version of the same model.</summary>
    public static async Task PublishElsewhereAsync(InMemoryObjectStore disk)
    {
        var none = CancellationToken.None;
        var pointer = await disk.GetAsync(StoreNames.ModelPointer("digits"), StoreJson.Default.PointerDocument, none);
        var manifest = await disk.GetAsync(StoreNames.Manifest("digits", pointer.Value.Version), StoreJson.Default.ModelManifest, none);
        var other = manifest.Value with { Version = "other-r1", Run = "other", Round = 1, Parent = manifest.Value.Version };
        var stored = await disk.CreateOnceAsync(StoreNames.Manifest("digits", "other-r1"), other, StoreJson.Default.ModelManifest, none);
        await disk.PutAsync(
            StoreNames.ModelPointer("digits"), new PointerDocument("other-r1", stored.Digest), StoreJson.Default.PointerDocument, PutCondition.Overwrite, none);
    }

    /// <summary>A client outside the cohort puts a receipt next to the others'.</summary>
    public static async Task CommitUninvitedAsync(SimulatedFederation federation)
    {
        var (disk, none) = (federation.Disk, CancellationToken.None);
        var plan = (await disk.GetAsync(StoreNames.Plan(SimulatedFederation.RunId, 1), StoreJson.Default.RoundPlan, none)).Value;
        var cohort = await disk.GetAsync(
            StoreNames.CohortShard(plan.Run, 1, plan.Cohort.Digest, 0), StoreJson.Default.CohortShardDocument, none);
        var outsider = federation.Clients.Ids.First(client => !cohort.Value.Clients.Contains(client));
        var receipt = new Receipt(
            outsider, plan.Run, 1, plan.Base.Digest, Digest.Of("nothing"u8), 1, 1, new Dictionary<string, double>(StringComparer.Ordinal));
        await disk.PutAsync(
            StoreNames.Receipt(plan.Run, 1, outsider), new ReceiptDocument(receipt, "", "", ""), StoreJson.Default.ReceiptDocument, PutCondition.CreateOnce, none);
    }
}
