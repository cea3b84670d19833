using System.Collections.Concurrent;
using FedServerless.Privacy;

namespace FedServerless.Activities.Privacy;

/// <summary>Prices of releases under a budget's filter, each worked out once a process. Thread-safe.</summary>
internal sealed class ReleasePrices
{
    private const int MostKept = 4096;

    private readonly ConcurrentDictionary<(NoisyRelease Release, PrivacyAdversary Adversary, double Order), RenyiCurve> _prices = new();

    /// <summary>What counts against the budget, charged and reserved, on the orders of its filter.</summary>
    public RenyiCurve Spent(LedgerState state, PrivacyBudget budget, RenyiFilter filter) =>
        state.Counts.Aggregate(RenyiCurve.Zero(filter.Orders), (sum, entry) => sum.Plus(PriceOf(entry.Key, budget, filter), entry.Value.Counting));

    /// <summary>One release.</summary>
    public RenyiCurve PriceOf(NoisyRelease release, PrivacyBudget budget, RenyiFilter filter)
    {
        var key = (release, budget.Adversary, budget.Adaptivity == FilterAdaptivity.Adaptive ? budget.Order : 0);
        if (_prices.TryGetValue(key, out var price))
        {
            return price;
        }

        if (_prices.Count >= MostKept)
        {
            _prices.Clear();
        }

        return _prices[key] = RenyiCurve.Of(release.Against(budget.Adversary), filter.Orders);
    }
}
