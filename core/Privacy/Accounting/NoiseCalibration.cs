namespace FedServerless.Privacy;

/// <summary>Finds the least noise that keeps a promise. What it returns keeps it: the search ends on the safe side.</summary>
public static class NoiseCalibration
{
    /// <summary>How much larger than needed the noise may be, relative.</summary>
    public const double Tolerance = 1e-6;

    /// <summary>The noise multiplier for so many equal rounds under a budget, priced in Rényi divergence with the improved conversion.</summary>
    /// <param name="budget">ε above 0, δ in (0, 1).</param>
    /// <param name="samplingRate">q in (0, 1]; 1 without amplification.</param>
    /// <param name="rounds">1 or more.</param>
    /// <param name="gridBits">The k of the grid of discrete noise, or null.</param>
    /// <param name="orders">The orders; <see cref="RenyiOrders.Default"/> if null.</param>
    /// <exception cref="ArgumentException">No noise in range keeps the promise.</exception>
    public static double Rounds(PrivacySpend budget, double samplingRate, long rounds, int? gridBits = null, RenyiOrders? orders = null)
    {
        RenyiCurve.ThrowIfNotDelta(budget.Delta);
        ArgumentOutOfRangeException.ThrowIfLessThan(rounds, 1);
        return Least(budget.Epsilon, gridBits, noise =>
        {
            var release = new PoissonGaussianEvent(samplingRate, noise, gridBits);
            return RenyiCurve.Of(new RepeatedEvent(release, rounds), orders ?? RenyiOrders.Default).Spend(budget.Delta).Epsilon;
        });
    }

    /// <summary>The least noise multiplier whose ε, as any accountant says it, does not exceed <paramref name="epsilon"/>.</summary>
    /// <param name="epsilon">Above 0.</param>
    /// <param name="gridBits">The k of the grid of discrete noise, or null.</param>
    /// <param name="epsilonOf">The ε of a noise multiplier; falls as the noise grows.</param>
    /// <exception cref="ArgumentException">No noise in range keeps the promise.</exception>
    public static double Least(double epsilon, int? gridBits, Func<double, double> epsilonOf)
    {
        ArgumentNullException.ThrowIfNull(epsilonOf);
        if (!(epsilon > 0 && double.IsFinite(epsilon)))
        {
            throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, "An epsilon to calibrate for is above 0 and finite.");
        }

        var low = gridBits is { } bits
            ? Math.Max(ReleaseEvent.LeastNoiseMultiplier, Math.ScaleB(ReleaseEvent.LeastGridDeviation, -bits))
            : ReleaseEvent.LeastNoiseMultiplier;
        if (epsilonOf(low) <= epsilon)
        {
            return low;
        }

        var high = Math.Max(1, 2 * low);
        while (!(epsilonOf(high) <= epsilon))
        {
            low = high;
            high *= 2;
            if (high > ReleaseEvent.LargestNoiseMultiplier)
            {
                throw new ArgumentException($"No noise multiplier up to {ReleaseEvent.LargestNoiseMultiplier} gives an epsilon of {epsilon}.", nameof(epsilon));
            }
        }

        while (high / low > 1 + Tolerance)
        {
            var middle = Math.Sqrt(low * high);
            (low, high) = epsilonOf(middle) <= epsilon ? (low, middle) : (middle, high);
        }

        return high;
    }
}
