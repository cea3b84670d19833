using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Activities.Rounds;

internal static class VerdictReading
{
    /// <summary>All verdicts of a sealed round, in the order of the seal.</summary>
    public static async Task<List<Verdict>> ReadVerdictsAsync(this IObjectStore store, RoundInput input, CancellationToken cancellationToken)
    {
        var seal = (await store.GetAsync(StoreNames.Seal(input.Run, input.Round), StoreJson.Default.SealDocument, cancellationToken)).Value;
        var verdicts = new List<Verdict>(seal.Receipts.Count);
        for (var chunk = 0; chunk < ValidationChunks.Count(seal.Receipts.Count); chunk++)
        {
            var name = StoreNames.Verdicts(input.Run, input.Round, chunk);
            verdicts.AddRange((await store.GetAsync(name, StoreJson.Default.VerdictsDocument, cancellationToken)).Value.Verdicts);
        }

        return verdicts;
    }
}
