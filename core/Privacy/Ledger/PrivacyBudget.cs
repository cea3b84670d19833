using System.Text.Json.Serialization;

namespace FedServerless.Privacy;

/// <summary>What a population may spend, over everything that ever trains on it. Stored in the ledger; held by <see cref="RenyiFilter"/>.</summary>
public sealed record PrivacyBudget
{
    /// <summary>The largest ε of a budget: beyond it a promise says nothing.</summary>
    public const double LargestEpsilon = 100;

    /// <summary>The largest N that can be declared.</summary>
    public const long MostClients = 1_000_000_000;

    /// <summary>ε, above 0, at most <see cref="LargestEpsilon"/>.</summary>
    public required double Epsilon { get; init; }

    /// <summary>δ, above 0 and below 1/N; above 1/(10N) it is worth a warning.</summary>
    public required double Delta { get; init; }

    /// <summary>Against whom the budget is held. The report gives the price against both.</summary>
    public required PrivacyAdversary Adversary { get; init; }

    /// <summary>Whether charges may depend on what was released before them.</summary>
    public required FilterAdaptivity Adaptivity { get; init; }

    /// <summary>The order declared with the first budget; it decides under <see cref="FilterAdaptivity.Adaptive"/>.</summary>
    public required double Order { get; init; }

    /// <summary>N: how many clients the population has, 1 to <see cref="MostClients"/>; δ is judged against it.</summary>
    public required long Clients { get; init; }

    /// <summary>ε and δ.</summary>
    [JsonIgnore]
    public PrivacySpend Spend => new(Epsilon, Delta);

    /// <summary>The filter that holds this budget.</summary>
    public RenyiFilter Filter() => new(Spend, Adaptivity, Adaptivity == FilterAdaptivity.Adaptive ? new RenyiOrders([Order]) : RenyiOrders.Default);

    /// <summary>What is wrong with these numbers, or null.</summary>
    public string? Problem()
    {
        if (!(Epsilon is > 0 and <= LargestEpsilon))
        {
            return $"epsilon is {Epsilon}; a budget has one above 0, at most {LargestEpsilon}";
        }

        if (Clients is < 1 or > MostClients)
        {
            return $"clients is {Clients}; a population has 1 to {MostClients}";
        }

        if (!(Delta is > 0 and < 1) || DeltaRule.Judge(Delta, Clients) == DeltaVerdict.Meaningless)
        {
            return $"delta is {Delta}; it is above 0 and below 1/N = {1.0 / Clients}: publishing one client at random keeps a delta of 1/N";
        }

        if (!Enum.IsDefined(Adversary) || !Enum.IsDefined(Adaptivity))
        {
            return "adversary or adaptivity is none that there is";
        }

        return Order is >= RenyiOrders.Least and <= RenyiOrders.Largest
            ? null
            : $"order is {Order}; an order is between {RenyiOrders.Least} and {RenyiOrders.Largest}";
    }

    /// <summary>Whether anything at all can be admitted, however much noise there is: not with so small an ε and δ that no declared order leaves room.</summary>
    public bool AdmitsAnything() => Adaptivity == FilterAdaptivity.Adaptive ? DeclaredOrder.AdmitsAnything(Spend, Order) : DeclaredOrder.Best(Spend) is not null;
}
