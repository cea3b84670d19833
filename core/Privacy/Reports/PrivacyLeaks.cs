using System.Globalization;

namespace FedServerless.Privacy;

/// <summary>What no ε of this project covers, by name. Every report lists those that apply.</summary>
public static class PrivacyLeaks
{
    /// <summary>The server itself.</summary>
    public const string Server = "server";

    /// <summary>Losses and other numbers beside the update.</summary>
    public const string Metrics = "metrics";

    /// <summary>Who took part and how many.</summary>
    public const string Participation = "participation";

    /// <summary>When something happens.</summary>
    public const string Timing = "timing";

    /// <summary>Who is there to take part.</summary>
    public const string Online = "online";

    /// <summary>Designated evaluations.</summary>
    public const string Evaluations = "evaluations";

    /// <summary>The choice among runs.</summary>
    public const string Tuning = "tuning";

    /// <summary>The budget takes the schedule as fixed in advance.</summary>
    public const string Schedule = "schedule";

    /// <summary>The budget was raised.</summary>
    public const string BudgetRaised = "budgetRaised";

    /// <summary>Runs that trained without privacy.</summary>
    public const string Unaccounted = "unaccounted";

    /// <summary>A person's note in the ledger.</summary>
    public const string Note = "note";

    /// <summary>Those that are there whatever was done.</summary>
    public static IReadOnlyList<PrivacyLeak> Always { get; } =
    [
        new(Server, "The server sees every update before the noise: these numbers are no promise against it. Train with DP-SGD on the device where it is not trusted."),
        new(Metrics, "Losses and other numbers that clients report are dropped in a private round and no part of what is published. How many were asked, answered and were used, and what the server moved and computed for them, is kept without noise, for operators."),
        new(Participation, "Who was selected, who answered and how many stand in the store: whoever can read it is the cohort observer."),
        new(Timing, "When requests come and how long a round takes are not covered."),
        new(Online, "Only clients that are online take part: whoever knows that some never are knows that these are in no sample."),
        new(Evaluations, "Evaluations of designated clients, and what follows from them (convergence, early stopping), are published without noise; their samples must be no training data."),
        new(Tuning, "Every run is charged, but choosing the best of several runs by results without noise is not covered by the price of any of them."),
    ];

    /// <summary>Those of a ledger: budgets raised, runs that are not accounted for, notes.</summary>
    /// <param name="state">The ledger.</param>
    public static IEnumerable<PrivacyLeak> Of(LedgerState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return Walk(state);

        static IEnumerable<PrivacyLeak> Walk(LedgerState state)
        {
            for (var i = 0; i < state.Budgets.Count; i++)
            {
                var (entry, budget) = (state.Budgets[i], state.Budgets[i].Budget!);
                if (entry.Unaccounted is { } runs)
                {
                    yield return new(Unaccounted, $"Trained on this population without privacy, and not in these numbers: {string.Join(", ", runs)} (acknowledged by {entry.Operator}, entry {entry.Number}).");
                }

                if (i > 0 && BudgetChange.Raises(state.Budgets[i - 1].Budget!, budget))
                {
                    var before = state.Budgets[i - 1].Budget!;
                    yield return new(BudgetRaised, string.Create(
                        CultureInfo.InvariantCulture,
                        $"{entry.Operator} raised the budget on {entry.Time.UtcDateTime:yyyy-MM-dd} from epsilon {before.Epsilon} at delta {before.Delta} to {budget.Epsilon} at {budget.Delta} (entry {entry.Number}): {entry.Reason ?? "no reason was given"}."));
                }
            }

            if (state.Budget?.Adaptivity == FilterAdaptivity.ScheduleFixed)
            {
                yield return new(Schedule, $"That the schedule was fixed before anything was released is the word of {state.Budgets[^1].Operator} (entry {state.Budgets[^1].Number}): a round planned after looking at a model is not covered.");
            }

            foreach (var note in state.Notes)
            {
                yield return new(Note, $"{note.Operator}: {note.Reason} (entry {note.Number}).");
            }
        }
    }
}
