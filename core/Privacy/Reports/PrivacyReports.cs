using System.Globalization;

namespace FedServerless.Privacy;

/// <summary>Makes <see cref="PrivacyReport"/>s.</summary>
public static class PrivacyReports
{
    private static readonly PrivacyAdversary[] Adversaries = [PrivacyAdversary.ModelHolder, PrivacyAdversary.CohortObserver];

    /// <summary>The report of a schedule that is only planned.</summary>
    /// <param name="release">What every round releases.</param>
    /// <param name="rounds">How many, 0 or more.</param>
    /// <param name="clients">N, 1 or more.</param>
    /// <param name="delta">In (0, 1).</param>
    /// <param name="options">What else to say.</param>
    public static PrivacyReport OfPlan(NoisyRelease release, long rounds, long clients, double delta, ReportOptions options)
    {
        ArgumentNullException.ThrowIfNull(release);
        ArgumentOutOfRangeException.ThrowIfNegative(rounds);
        IReadOnlyList<ReportedRelease> releases = rounds == 0 ? [] : [new(release, 0, rounds)];
        return Make("plan", releases, release, clients, delta, isFixed: true, options);
    }

    /// <summary>The report of everything in a ledger.</summary>
    /// <param name="state">A ledger with a budget.</param>
    /// <param name="options">What else to say.</param>
    public static PrivacyReport OfPopulation(LedgerState state, ReportOptions options)
    {
        var budget = BudgetOf(state);
        var releases = state.Counts.Select(entry => new ReportedRelease(entry.Key, entry.Value.Charged, entry.Value.Reserved)).ToList();
        var isFixed = budget.Adaptivity == FilterAdaptivity.ScheduleFixed || state.Keys.Select(entry => entry.Key.Run).Distinct(StringComparer.Ordinal).Count() <= 1;
        var report = Make($"population {state.Population}", releases, null, budget.Clients, budget.Delta, isFixed, options) with { Budget = StandingOf(state) };
        return report with
        {
            Leaks = [.. report.Leaks, .. PrivacyLeaks.Of(state)],
            Warnings = isFixed ? report.Warnings :
            [
                .. report.Warnings,
                string.Create(CultureInfo.InvariantCulture, $"Runs may have been planned after looking at models of others: what is proven then is the budget, epsilon {budget.Epsilon}, and not the prices, which take the schedule as fixed."),
            ],
        };
    }

    /// <summary>The report of one run in a ledger.</summary>
    /// <param name="state">A ledger with a budget.</param>
    /// <param name="run">The run.</param>
    /// <param name="release">What each of its rounds releases; null where that is not known any more.</param>
    /// <param name="rounds">How many rounds it was to have.</param>
    /// <param name="options">What else to say.</param>
    public static PrivacyReport OfRun(LedgerState state, string run, NoisyRelease? release, int rounds, ReportOptions options)
    {
        var budget = BudgetOf(state);
        var own = state.Keys.Where(entry => entry.Key.Run == run).ToList();
        var releases = own.Where(entry => entry.Value.Status != LedgerStatus.Released).GroupBy(entry => entry.Value.Release)
            .OrderBy(group => group.Key.SamplingRate).ThenBy(group => group.Key.NoiseMultiplier).ThenBy(group => group.Key.GridBits ?? -1)
            .Select(group => new ReportedRelease(
                group.Key, group.LongCount(entry => entry.Value.Status == LedgerStatus.Charged), group.LongCount(entry => entry.Value.Status == LedgerStatus.Reserved)))
            .ToList();
        var report = Make($"run {run}", releases, release, budget.Clients, budget.Delta, isFixed: true, options) with { Budget = StandingOf(state) };
        var left = rounds - own.Select(entry => entry.Key.Round).DefaultIfEmpty(0).Max();
        var planned = releases.Count > 0 ? releases[^1].Release : release;
        return report with
        {
            Prices = planned is null || left <= 0
                ? report.Prices
                : [.. report.Prices.Zip(PricesOf([.. releases, new ReportedRelease(planned, 0, left)], budget.Delta, isFixed: true, options), WhenDone)],
            Leaks = [.. report.Leaks, .. PrivacyLeaks.Of(state)],
            Warnings = [.. report.Warnings, "These are the prices of this run alone; other runs of its population add to them."],
        };
    }

    /// <summary>Where the budget of a ledger stands.</summary>
    /// <param name="state">A ledger with a budget.</param>
    public static BudgetStanding StandingOf(LedgerState state)
    {
        var budget = BudgetOf(state);
        var filter = budget.Filter();
        var (charged, spent) = (RenyiCurve.Zero(filter.Orders), RenyiCurve.Zero(filter.Orders));
        foreach (var (release, count) in state.Counts)
        {
            var price = RenyiCurve.Of(release.Against(budget.Adversary), filter.Orders);
            (charged, spent) = (charged.Plus(price, count.Charged), spent.Plus(price, count.Counting));
        }

        var entry = state.Budgets[^1];
        return new BudgetStanding(budget, entry.Number, entry.Operator!, entry.Time, entry.Reason, Ratio(charged), Ratio(spent), filter.Spend(spent).Epsilon);

        double Ratio(RenyiCurve total) => Math.Min(BudgetStanding.LargestRatio, filter.Share(total));
    }

    private static PrivacyReport Make(
        string subject, IReadOnlyList<ReportedRelease> releases, NoisyRelease? planned, long clients, double delta, bool isFixed, ReportOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var (first, prices, warnings) = (releases.Count > 0 ? releases[0].Release : planned, PricesOf(releases, delta, isFixed, options), new List<string>());
        if (DeltaRule.Judge(delta, clients) is var verdict and not DeltaVerdict.Sound)
        {
            warnings.Add(string.Create(CultureInfo.InvariantCulture, $"Delta {delta} is {(verdict == DeltaVerdict.Large ? "above 1/(10N)" : "1/N or more, and promises nothing")}: N is {clients}."));
        }

        if (prices.Any(price => price.AtGridEnd))
        {
            warnings.Add("The best order is the first or last of the grid: a wider grid might say less.");
        }

        if (releases.Any(release => release.Release.Sampling == ClientSampling.FixedSize))
        {
            warnings.Add("Samples of a fixed size are priced without amplification.");
        }

        if (isFixed && options.Tight && prices.Any(price => price.TightUpper is null))
        {
            warnings.Add($"No tight bracket: there are more than {ReportOptions.MostKinds} kinds of release or more than {ReportOptions.MostReleases} releases.");
        }

        return new PrivacyReport
        {
            Subject = subject,
            Unit = first?.Unit ?? PrivacyUnit.Client,
            Adjacency = first?.Adjacency ?? PrivacyAdjacency.AddOrRemoveOne,
            Clients = clients,
            Delta = delta,
            Releases = releases,
            Prices = prices,
            Warnings = warnings,
            Leaks = PrivacyLeaks.Always,
        };
    }

    private static List<AdversaryPrice> PricesOf(IReadOnlyList<ReportedRelease> releases, double delta, bool isFixed, ReportOptions options) =>
        [.. Adversaries.Select(adversary => PriceOf(releases, adversary, delta, isFixed, options))];

    private static AdversaryPrice PriceOf(IReadOnlyList<ReportedRelease> releases, PrivacyAdversary adversary, double delta, bool isFixed, ReportOptions options)
    {
        var accountant = new RenyiAccountant();
        var parts = releases.Select(release => new RepeatedEvent(release.Release.Against(adversary), release.Charged + release.Reserved)).ToList();
        parts.ForEach(accountant.Compose);
        var total = accountant.Total;
        var spend = total.Spend(delta);
        double? classic = options.Classic ? total.Spend(delta, RenyiConversion.Classic).Epsilon : null;
        EpsilonBracket? tight = isFixed && options.Tight && parts.Count <= ReportOptions.MostKinds && parts.Sum(part => part.Count) <= ReportOptions.MostReleases
            ? new TightAccountant().Epsilon(new ComposedEvent(parts), delta)
            : null;
        var isAmplified = releases.Any(release => release.Release.IsAmplified(adversary) && release.Release.SamplingRate < 1);
        return new AdversaryPrice(adversary, isAmplified, spend.Epsilon, spend.Order, spend.AtGridEnd)
        {
            ClassicEpsilon = classic,
            TightLower = tight?.Lower,
            TightUpper = tight?.Upper,
        };
    }

    private static AdversaryPrice WhenDone(AdversaryPrice now, AdversaryPrice done) => now with { EpsilonWhenDone = done.Epsilon, TightUpperWhenDone = done.TightUpper };

    private static PrivacyBudget BudgetOf(LedgerState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.Budget ?? throw new ArgumentException($"Population '{state.Population}' has no budget.", nameof(state));
    }
}
