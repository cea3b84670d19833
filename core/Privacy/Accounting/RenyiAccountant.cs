namespace FedServerless.Privacy;

/// <summary>
/// Adds up what events cost, whatever was released when and with which parameters, and says the ε. Prices each distinct release once. Not
/// thread-safe.
/// </summary>
/// <param name="orders">The orders; <see cref="RenyiOrders.Default"/> if null.</param>
public sealed class RenyiAccountant(RenyiOrders? orders = null)
{
    private readonly RenyiOrders _orders = orders ?? RenyiOrders.Default;
    private readonly Dictionary<ReleaseEvent, RenyiCurve> _prices = [];
    private readonly Dictionary<ReleaseEvent, long> _counts = [];

    /// <summary>The cost of everything composed so far.</summary>
    public RenyiCurve Total => _counts
        .OrderBy(entry => entry.Key.SamplingRate).ThenBy(entry => entry.Key.NoiseMultiplier).ThenBy(entry => entry.Key.GridBits ?? -1)
        .Aggregate(RenyiCurve.Zero(_orders), (sum, entry) => sum.Plus(PriceOf(entry.Key), entry.Value));

    /// <summary>Adds an event.</summary>
    /// <exception cref="OverflowException">More than 2⁶³ − 1 of one release.</exception>
    public void Compose(PrivacyEvent privacyEvent)
    {
        ArgumentNullException.ThrowIfNull(privacyEvent);
        foreach (var (release, count) in privacyEvent.Releases())
        {
            _counts[release] = checked(_counts.GetValueOrDefault(release) + count);
        }
    }

    /// <summary>The ε of everything composed so far.</summary>
    /// <param name="delta">In (0, 1).</param>
    /// <param name="conversion">Which theorem; the improved one unless said otherwise.</param>
    public RenyiSpend Spend(double delta, RenyiConversion conversion = RenyiConversion.Improved) => Total.Spend(delta, conversion);

    private RenyiCurve PriceOf(ReleaseEvent release)
    {
        if (!_prices.TryGetValue(release, out var price))
        {
            _prices.Add(release, price = RenyiCurve.Of(release, _orders));
        }

        return price;
    }
}
