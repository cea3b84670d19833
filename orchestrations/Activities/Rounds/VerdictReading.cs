using FedServerless.Activities.State;
using FedServerless.Storage;

namespace FedServerless.Activities.Rounds;

internal static class VerdictReading
{
    /// <summary>All verdicts of a sealed round, in the order of the seal.</summary>
    public static async Task<List<Verdict>> ReadVerdictsAsync(this IObjectStore store, RoundPlan plan, CancellationToken cancellationToken)
    {
        var seal = (await store.GetAsync(StoreNames.Seal(plan.Run, plan.Round), StoreJson.Default.SealDocument, cancellationToken)).Value;
        var verdicts = new List<Verdict>(seal.Receipts.Count);
        var chunks = RoundTasks.Of(plan, seal.Receipts.Count).Validations(seal.Receipts.Count);
        for (var chunk = 0; chunk < chunks; chunk++)
        {
            var name = StoreNames.Verdicts(plan.Run, plan.Round, chunk);
            verdicts.AddRange((await store.GetAsync(name, StoreJson.Default.VerdictsDocument, cancellationToken)).Value.Verdicts);
        }

        return verdicts;
    }
}
