namespace FedServerless.Privacy;

/// <summary>How one budget may follow another.</summary>
public static class BudgetChange
{
    /// <summary>
    /// Why a budget may not follow what a ledger holds, or null. ε, δ, N and the adversary may change at any time. From the first reservation on the order that was
    /// declared stays, and an adaptive budget stays adaptive: the theorem asks for both before anything is released. A budget that can admit nothing is refused before that, and allowed after: it ends a population.
    /// </summary>
    /// <param name="state">The ledger so far.</param>
    /// <param name="next">The budget to follow.</param>
    public static string? Problem(LedgerState state, PrivacyBudget next)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(next);
        if (state.Budget is not { } now || !state.HasReservations)
        {
            return next.AdmitsAnything() ? null : $"epsilon {next.Epsilon} at delta {next.Delta} admits nothing at order {next.Order}, however much noise there is";
        }

        if (next.Order != now.Order)
        {
            return $"order {now.Order} was declared before the first round was reserved; order {next.Order} now would be a choice made after looking";
        }

        return now.Adaptivity == FilterAdaptivity.Adaptive && next.Adaptivity == FilterAdaptivity.ScheduleFixed
            ? "a budget that was adaptive when rounds were reserved cannot say afterwards that their schedule was fixed"
            : null;
    }

    /// <summary>Whether the next budget allows what the one that holds does not: a larger ε or δ, or the weaker adversary.</summary>
    /// <param name="now">The budget that holds.</param>
    /// <param name="next">The one to follow.</param>
    public static bool Raises(PrivacyBudget now, PrivacyBudget next)
    {
        ArgumentNullException.ThrowIfNull(now);
        ArgumentNullException.ThrowIfNull(next);
        return next.Epsilon > now.Epsilon || next.Delta > now.Delta || (now.Adversary, next.Adversary) is (PrivacyAdversary.CohortObserver, PrivacyAdversary.ModelHolder);
    }
}
