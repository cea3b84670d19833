namespace FedServerless.Privacy;

/// <summary>
/// The one order that an adaptive budget declares before anything is released (docs/maths/privacy.md, "The filter").
/// </summary>
public static class DeclaredOrder
{
    /// <summary>Of the most that any order admits of a plain Gaussian schedule, what the chosen one must admit.</summary>
    public const double Share = 0.9;

    /// <summary>
    /// The order for a budget whose runs are not known yet: the least of <see cref="RenyiOrders.Default"/> that admits <see cref="Share"/> of what the best one admits of a
    /// plain Gaussian schedule. With divergence ρα at order α that is <c>ρ = (ε − ln((α−1)/α) + (ln δ + ln α)/(α−1))/α</c>, which is flat around its maximum, while the
    /// divergence of a sampled Gaussian explodes above some order: ε = 2, δ = 10⁻⁵, q = 0.01, z = 1 has 28 rounds at order 10, the best plain one, and 879 at 8. It depends on
    /// the budget alone, never on what was released.
    /// </summary>
    /// <param name="budget">ε above 0 and finite; δ in (0, 1).</param>
    /// <returns>The order; null when no order admits anything at all, however small.</returns>
    public static double? Best(PrivacySpend budget)
    {
        ThrowIfNone(budget);
        var rooms = RenyiOrders.Default.Values.Select(order => (Order: order, Room: Room(budget, order) / order)).ToArray();
        var most = rooms.Max(entry => entry.Room);
        return most > 0 ? rooms.First(entry => entry.Room >= Share * most).Order : null;
    }

    /// <summary>The order of <see cref="RenyiOrders.Default"/> at which the most of a planned release fits; the least such one.</summary>
    /// <param name="budget">ε above 0 and finite; δ in (0, 1).</param>
    /// <param name="planned">What is to be released again and again.</param>
    /// <returns>The order; null when no order admits anything at all.</returns>
    public static double? BestFor(PrivacySpend budget, PrivacyEvent planned)
    {
        ThrowIfNone(budget);
        var curve = RenyiCurve.Of(planned, RenyiOrders.Default);
        var (best, most) = (default(double?), 0.0);
        for (var i = 0; i < curve.Divergences.Count; i++)
        {
            var order = curve.Orders.Values[i];
            var count = Room(budget, order) / curve.Divergences[i];
            (best, most) = count > most ? (order, count) : (best, most);
        }

        return best;
    }

    /// <summary>Whether a budget at one order admits anything at all: whether the divergence it leaves room for is above 0.</summary>
    /// <param name="budget">ε above 0 and finite; δ in (0, 1).</param>
    /// <param name="order">Above 1.</param>
    public static bool AdmitsAnything(PrivacySpend budget, double order) => Room(budget, order) > 0;

    /// <summary>The divergence at an order that converts to the budget's ε: the improved conversion of <see cref="RenyiCurve.Spend"/> solved for it. May be below 0.</summary>
    internal static double Room(PrivacySpend budget, double order) =>
        budget.Epsilon - LogSpace.Log1P(-1 / order) + ((Math.Log(budget.Delta) + Math.Log(order)) / (order - 1));

    private static void ThrowIfNone(PrivacySpend budget)
    {
        if (!(budget.Epsilon > 0 && double.IsFinite(budget.Epsilon)))
        {
            throw new ArgumentOutOfRangeException(nameof(budget), budget.Epsilon, "A budget's epsilon is above 0 and finite.");
        }

        RenyiCurve.ThrowIfNotDelta(budget.Delta);
    }
}
