namespace FedServerless.Privacy;

/// <summary>
/// Decides whether a charge fits into a budget (ε, δ) after everything already charged: it does if at some order the total after it converts to at
/// most ε. Feldman and Zrnic 2021, arXiv:2008.11193 (the Rényi filter): stopping there is (ε, δ)-differentially private even when every
/// charge is chosen after looking at all releases before it, at one order. Immutable.
/// </summary>
/// <remarks>
/// The order is part of that theorem. If it may be chosen at the end, and charges depend on releases, an adversary can steer each outcome
/// towards the order that suits it; a union bound then costs δ/n for n orders (<see cref="FilterAdaptivity.Adaptive"/>; docs/maths/privacy.md, "The filter").
/// </remarks>
public sealed class RenyiFilter
{
    private readonly double _deltaPerOrder;

    /// <summary>A budget.</summary>
    /// <param name="budget">ε above 0 and finite; δ in (0, 1).</param>
    /// <param name="adaptivity">Whether charges may depend on releases.</param>
    /// <param name="orders">The orders declared in advance.</param>
    public RenyiFilter(PrivacySpend budget, FilterAdaptivity adaptivity, RenyiOrders orders)
    {
        ArgumentNullException.ThrowIfNull(orders);
        if (!(budget.Epsilon > 0 && double.IsFinite(budget.Epsilon)))
        {
            throw new ArgumentOutOfRangeException(nameof(budget), budget.Epsilon, "A budget's epsilon is above 0 and finite.");
        }

        RenyiCurve.ThrowIfNotDelta(budget.Delta);
        (Budget, Adaptivity, Orders) = (budget, adaptivity, orders);
        _deltaPerOrder = adaptivity == FilterAdaptivity.Adaptive ? budget.Delta / orders.Values.Count : budget.Delta;
    }

    /// <summary>What may be spent.</summary>
    public PrivacySpend Budget { get; }

    /// <summary>Whether charges may depend on releases.</summary>
    public FilterAdaptivity Adaptivity { get; }

    /// <summary>The declared orders.</summary>
    public RenyiOrders Orders { get; }

    /// <summary>
    /// Whether <paramref name="charge"/> may follow <paramref name="spent"/>. A charge of nothing is admitted exactly if the budget is not overspent.
    /// </summary>
    /// <param name="spent">Everything charged and reserved so far, on <see cref="Orders"/>.</param>
    /// <param name="charge">What is to happen next.</param>
    public bool Admits(RenyiCurve spent, PrivacyEvent charge) => Admits(spent, RenyiCurve.Of(charge, Orders));

    /// <summary>The same for a charge that was priced already.</summary>
    /// <param name="spent">Everything charged and reserved so far, on <see cref="Orders"/>.</param>
    /// <param name="charge">The price of what is to happen next, on <see cref="Orders"/>.</param>
    public bool Admits(RenyiCurve spent, RenyiCurve charge)
    {
        ArgumentNullException.ThrowIfNull(spent);
        return Spend(spent.Plus(charge)).Epsilon <= Budget.Epsilon;
    }

    /// <summary>What a total amounts to under this filter: its ε at the budget's δ, with the δ that each order has.</summary>
    /// <param name="total">On <see cref="Orders"/>.</param>
    public PrivacySpend Spend(RenyiCurve total)
    {
        ArgumentNullException.ThrowIfNull(total);
        if (!total.Orders.Span.SequenceEqual(Orders.Span))
        {
            throw new ArgumentException("The curve is on other orders than the filter.", nameof(total));
        }

        return new(total.Spend(_deltaPerOrder).Epsilon, Budget.Delta);
    }

    /// <summary>
    /// Which part of the budget a total takes: its divergence over the one that the budget leaves room for, at the order where that is least. What is admitted takes at
    /// most 1, and equal releases take equal parts, unlike the ε of a total, which starts at −ln δ/(α − 1) with the first of them.
    /// </summary>
    /// <param name="total">On <see cref="Orders"/>.</param>
    /// <returns>0 for nothing; infinite where something was spent and no order has room.</returns>
    public double Share(RenyiCurve total)
    {
        ArgumentNullException.ThrowIfNull(total);
        if (!total.Orders.Span.SequenceEqual(Orders.Span))
        {
            throw new ArgumentException("The curve is on other orders than the filter.", nameof(total));
        }

        var share = double.PositiveInfinity;
        for (var i = 0; i < Orders.Values.Count; i++)
        {
            var room = DeclaredOrder.Room(Budget with { Delta = _deltaPerOrder }, Orders.Values[i]);
            share = total.Divergences[i] == 0 ? 0 : room > 0 ? Math.Min(share, total.Divergences[i] / room) : share;
        }

        return share;
    }
}
