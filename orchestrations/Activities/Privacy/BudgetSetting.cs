using FedServerless.Privacy;

namespace FedServerless.Activities.Privacy;

/// <summary>A budget as an operator asks for it.</summary>
/// <param name="Epsilon">ε, above 0, at most <see cref="PrivacyBudget.LargestEpsilon"/>.</param>
/// <param name="Delta">δ, above 0 and below 1/N.</param>
/// <param name="Clients">N, as declared.</param>
public sealed record BudgetSetting(double Epsilon, double Delta, long Clients)
{
    /// <summary>Against whom it is held.</summary>
    public PrivacyAdversary Adversary { get; init; } = PrivacyAdversary.ModelHolder;

    /// <summary>Whether charges may depend on releases.</summary>
    public FilterAdaptivity Adaptivity { get; init; } = FilterAdaptivity.Adaptive;

    /// <summary>
    /// The declared order; null for the one declared before or, while nothing is reserved, that of <see cref="Planned"/> or else <see cref="DeclaredOrder.Best"/>.
    /// </summary>
    public double? Order { get; init; }

    /// <summary>A round as the operator plans them, to choose the order by; null for none.</summary>
    public NoisyRelease? Planned { get; init; }

    /// <summary>Why the budget is set or changed, in the operator's words, or null.</summary>
    public string? Reason { get; init; }

    /// <summary>Runs that trained on the population without privacy, acknowledged; recorded and named in every report.</summary>
    public IReadOnlyList<string> Unaccounted { get; init; } = [];

    /// <summary>The budget with its order chosen.</summary>
    /// <param name="state">The ledger it would follow.</param>
    internal PrivacyBudget Over(LedgerState state) => WithOrder(Order ?? (state.HasReservations ? state.Budget!.Order : BestOrder()));

    /// <summary>The budget with an order.</summary>
    /// <param name="order">The order.</param>
    public PrivacyBudget WithOrder(double order) => new()
    {
        Epsilon = Epsilon,
        Delta = Delta,
        Adversary = Adversary,
        Adaptivity = Adaptivity,
        Clients = Clients,
        Order = order,
    };

    // Numbers that are no budget are refused with their own words; any order does for that.
    private double BestOrder()
    {
        if (!(Epsilon is > 0 and < double.PositiveInfinity && Delta is > 0 and < 1))
        {
            return RenyiOrders.Largest;
        }

        var spend = new PrivacySpend(Epsilon, Delta);
        return (Planned is null ? DeclaredOrder.Best(spend) : DeclaredOrder.BestFor(spend, Planned.Against(Adversary))) ?? RenyiOrders.Largest;
    }
}
