using FedServerless.Privacy;

namespace FedServerless.Client.Training;

/// <summary>What training on a site's examples has spent, over all rounds it took part in.</summary>
public sealed record DpSgdReport
{
    /// <summary>What is protected: one example.</summary>
    public required PrivacyUnit Unit { get; init; }

    /// <summary>Which datasets are compared: with and without it.</summary>
    public required PrivacyAdjacency Adjacency { get; init; }

    /// <summary>Charges: rounds begun, those included that were cut short or repeated.</summary>
    public required int Rounds { get; init; }

    /// <summary>Steps charged.</summary>
    public required long Steps { get; init; }

    /// <summary>
    /// The ε that counts against the budget, at its δ: priced at <see cref="Order"/>, which was declared with the budget, and so true however the
    /// server, or the site, chose each round after looking at all before it.
    /// </summary>
    public required PrivacySpend Spent { get; init; }

    /// <summary>What may be spent.</summary>
    public required PrivacySpend Budget { get; init; }

    /// <summary>The Rényi order declared with the budget.</summary>
    public required double Order { get; init; }

    /// <summary>
    /// The least ε over all orders, at the same δ. True where noise, rate and lengths were not chosen by looking at what was released.
    /// </summary>
    public required RenyiSpend Fixed { get; init; }

    /// <summary>Further steps, with the options' noise and rate, that the budget admits.</summary>
    public required long StepsLeft { get; init; }

    /// <summary>The same by run, in the order in which they began. Their ε do not add up to the total: each is priced alone.</summary>
    public required IReadOnlyList<DpSgdRunSpend> Runs { get; init; }

    /// <summary>What somebody should look at, as sentences; empty for nothing.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }
}
