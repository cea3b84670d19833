namespace FedServerless.Privacy;

/// <summary>
/// What something costs in Rényi divergence at every order of a grid (Mironov 2017, arXiv:1702.07476). Adds up order by order, whatever the parts;
/// becomes an ε once, at the end. Immutable.
/// </summary>
public sealed class RenyiCurve
{
    private readonly double[] _divergences;

    private RenyiCurve(RenyiOrders orders, double[] divergences)
    {
        Orders = orders;
        _divergences = divergences;
    }

    /// <summary>The orders.</summary>
    public RenyiOrders Orders { get; }

    /// <summary>The divergence at each order.</summary>
    public IReadOnlyList<double> Divergences => _divergences;

    /// <summary>The cost of nothing.</summary>
    public static RenyiCurve Zero(RenyiOrders orders)
    {
        ArgumentNullException.ThrowIfNull(orders);
        return new(orders, new double[orders.Values.Count]);
    }

    /// <summary>The price of an event.</summary>
    public static RenyiCurve Of(PrivacyEvent privacyEvent, RenyiOrders orders)
    {
        ArgumentNullException.ThrowIfNull(privacyEvent);
        var sum = Zero(orders);
        foreach (var (release, count) in privacyEvent.Releases())
        {
            sum = sum.Plus(OfRelease(release, orders), count);
        }

        return sum;
    }

    /// <summary>This and <paramref name="count"/> times <paramref name="other"/>.</summary>
    /// <param name="other">On the same orders.</param>
    /// <param name="count">0 or more.</param>
    /// <exception cref="ArgumentException">The orders differ.</exception>
    public RenyiCurve Plus(RenyiCurve other, long count = 1)
    {
        ArgumentNullException.ThrowIfNull(other);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (!other.Orders.Span.SequenceEqual(Orders.Span))
        {
            throw new ArgumentException("Curves add up at the same orders only.", nameof(other));
        }

        var sum = new double[_divergences.Length];
        for (var i = 0; i < sum.Length; i++)
        {
            sum[i] = _divergences[i] + (count * other._divergences[i]);
        }

        return new(Orders, sum);
    }

    /// <summary>The least ε over the orders at this δ; 0 where nothing was spent, and never below 0.</summary>
    /// <param name="delta">In (0, 1).</param>
    /// <param name="conversion">Which theorem; the improved one unless said otherwise.</param>
    public RenyiSpend Spend(double delta, RenyiConversion conversion = RenyiConversion.Improved)
    {
        ThrowIfNotDelta(delta);
        var (best, at) = (double.PositiveInfinity, 0);
        for (var i = 0; i < _divergences.Length; i++)
        {
            var epsilon = EpsilonAt(i, delta, conversion);
            if (epsilon < best)
            {
                (best, at) = (epsilon, i);
            }
        }

        var atEnd = best > 0 && (at == 0 || at == _divergences.Length - 1);
        return new(best, delta, Orders.Span[at], atEnd);
    }

    /// <summary>
    /// The least δ over the orders at this ε, at most 1: <c>δ = e^{(α−1)(D − ε)}·(1 − 1/α)^{α−1}/α</c>, the improved conversion solved for δ.
    /// </summary>
    /// <param name="epsilon">0 or more.</param>
    public double Delta(double epsilon)
    {
        if (!(epsilon >= 0))
        {
            throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, "An epsilon is 0 or more.");
        }

        var least = 0.0;
        for (var i = 0; i < _divergences.Length; i++)
        {
            var order = Orders.Span[i];
            var log = ((order - 1) * (_divergences[i] - epsilon + LogSpace.Log1P(-1 / order))) - Math.Log(order);
            least = Math.Min(least, _divergences[i] == 0 ? double.NegativeInfinity : log);
        }

        return Math.Exp(least);
    }

    internal double EpsilonAt(int index, double delta, RenyiConversion conversion)
    {
        var (order, divergence) = (Orders.Span[index], _divergences[index]);
        if (double.IsNaN(divergence) || divergence < 0)
        {
            throw new InvalidOperationException($"The divergence at order {order} is {divergence}.");
        }

        // Total variation is at most √(1 − e^{−KL}) (Bretagnolle and Huber 1979), and no divergence of order above 1 is below KL.
        if (-LogSpace.ExpM1(-divergence) <= delta * delta)
        {
            return 0;
        }

        var epsilon = conversion == RenyiConversion.Classic
            ? divergence - (Math.Log(delta) / (order - 1))
            : divergence + LogSpace.Log1P(-1 / order) - ((Math.Log(delta) + Math.Log(order)) / (order - 1));
        return Math.Max(0, epsilon);
    }

    internal static void ThrowIfNotDelta(double delta)
    {
        if (!(delta is > 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(delta), delta, "A delta is above 0 and below 1, and far below 1/N for N units.");
        }
    }

    private static RenyiCurve OfRelease(ReleaseEvent release, RenyiOrders orders)
    {
        var mechanism = new SampledGaussianRenyi(release);
        var divergences = new double[orders.Values.Count];
        for (var i = 0; i < divergences.Length; i++)
        {
            divergences[i] = mechanism.Divergence(orders.Span[i]);
            if (!(divergences[i] >= 0))
            {
                throw new InvalidOperationException($"The divergence of {release} at order {orders.Span[i]} is {divergences[i]}.");
            }
        }

        return new(orders, divergences);
    }
}
