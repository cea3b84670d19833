using System.Globalization;
using FedServerless.Activities.Metering;
using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Workflows.Runs;

namespace FedServerless.Activities.Runs;

/// <summary>Whether a run can pay for another round: what it cost so far, and what the last rounds cost each, against its limit.</summary>
internal static class CostRule
{
    /// <summary>Rounds whose mean is what the next one is expected to cost.</summary>
    public const int RoundsLookedAt = 5;

    /// <summary>Why the run must end before it plans the round of the progress, or null to go on.</summary>
    public static async Task<string?> FindAsync(
        IObjectStore store, UsageBook book, RunProgress progress, double limit, CancellationToken cancellationToken)
    {
        var closed = progress.Round - 1;
        var outcomes = new List<RoundOutcomeDocument>();
        for (var round = closed; round >= 1 && outcomes.Count < RoundsLookedAt; round--)
        {
            var stored = await store.FindAsync(StoreNames.RoundOutcome(progress.Run, round), StoreJson.Default.RoundOutcomeDocument, cancellationToken);
            outcomes.AddRange(stored is null ? [] : [stored.Value]);
        }

        var spent = book.Prices.CostOf(await book.OfRunAsync(progress.Run, closed, outcomes.FirstOrDefault(), cancellationToken));
        var known = outcomes.Where(outcome => outcome.Account is not null).Select(outcome => book.Prices.CostOf(outcome.Account!.Round)).ToList();
        var next = known.Count == 0 ? 0 : known.Average();
        return spent + next <= limit
            ? null
            : $"{closed} rounds cost {Text(spent)}, the next is expected to cost {Text(next)}, and the limit is {Text(limit)} ({book.Prices.Name})";

        string Text(double amount) => $"{amount.ToString("0.######", CultureInfo.InvariantCulture)} {book.Prices.Currency}";
    }
}
