using System.Diagnostics;

namespace FedServerless.Privacy;

/// <summary>
/// The privacy loss <c>ln P(x)/Q(x)</c>, x ~ P, of one sampled Gaussian release, rounded to the nearest multiple of a step: <c>mass[i]</c> is the
/// probability of <c>(First + i)·step</c>. What lies too far out is left out and counted in <see cref="LeftOut"/>.
/// </summary>
internal sealed class PrivacyLossMass
{
    private PrivacyLossMass(double step, long first, double[] mass)
    {
        (Step, First, Mass) = (step, first, mass);
    }

    public double Step { get; }

    public long First { get; }

    public double[] Mass { get; }

    /// <summary>An upper bound of the probability that was left out.</summary>
    public double LeftOut { get; private init; }

    /// <summary>The mean of what rounding adds to the loss.</summary>
    public double RoundingBias { get; private init; }

    /// <summary>An upper bound of the error of <see cref="RoundingBias"/> by what was left out.</summary>
    public double BiasError { get; private init; }

    /// <summary>From the least to the largest loss that is kept when <paramref name="reach"/> standard deviations are.</summary>
    public static (double Low, double High) Range(double rate, double noise, double reach, LossDirection direction)
    {
        var (low, high) = (Ratio(rate, noise, -reach * noise), Ratio(rate, noise, 1 + (reach * noise)));
        return direction == LossDirection.Remove ? (low, high) : (-high, -low);
    }

    /// <summary>Rounds the loss of one release.</summary>
    /// <param name="rate">q.</param>
    /// <param name="noise">z of real-valued noise.</param>
    /// <param name="step">The step.</param>
    /// <param name="reach">How many standard deviations of x are kept.</param>
    /// <param name="direction">Which dataset the outcome came from.</param>
    public static PrivacyLossMass Of(double rate, double noise, double step, double reach, LossDirection direction)
    {
        // v = ln((1 − q) + q·L(x)) grows with x; the loss is v under the mixture when removing, −v under N(0, z²) when adding.
        var (low, high) = Range(rate, noise, reach, LossDirection.Remove);
        var (first, last) = ((long)Math.Round(low / step), (long)Math.Round(high / step));
        var shifted = direction == LossDirection.Remove ? rate : 0;
        var mass = new double[last - first + 1];
        var (from, fromShifted) = (Tail.At(-reach), Tail.At(-reach - (1 / noise)));
        for (var i = 0; i < mass.Length; i++)
        {
            var edge = i == mass.Length - 1 ? 1 + (reach * noise) : Math.Clamp(Location(rate, noise, (first + i + 0.5) * step), -reach * noise, 1 + (reach * noise));
            var (to, toShifted) = (Tail.At(edge / noise), Tail.At((edge - 1) / noise));
            mass[i] = ((1 - shifted) * Tail.Between(from, to)) + (shifted * Tail.Between(fromShifted, toShifted));
            (from, fromShifted) = (to, toShifted);
        }

        if (direction == LossDirection.Add)
        {
            Array.Reverse(mass);
            (first, last) = (-last, -first);
        }

        var mean = 0.0;
        for (var i = 0; i < mass.Length; i++)
        {
            mean += mass[i] * (first + i) * step;
        }

        var leftOut = 2 * NormalTail.Upper(reach);
        return new(step, first, mass)
        {
            LeftOut = leftOut,
            RoundingBias = mean - MeanLoss(rate, noise, direction),

            // Beyond the reach the loss grows by less than its slope 1/z a standard deviation, and the density falls faster than it grows.
            BiasError = 2 * leftOut * (Math.Abs(low) + Math.Abs(high) + (1 / noise)),
        };
    }

    /// <summary><c>ln Σ mass·e^{λ·loss}</c>, and mean and variance of the loss under those weights.</summary>
    public (double Log, double Mean, double Variance) Tilted(double tilt)
    {
        var peak = double.NegativeInfinity;
        for (var i = 0; i < Mass.Length; i += 64)
        {
            peak = Math.Max(peak, Math.Log(Mass[i]) + (tilt * (First + i) * Step));
        }

        var (sum, first, second) = (0.0, 0.0, 0.0);
        for (var i = 0; i < Mass.Length; i++)
        {
            var loss = (First + i) * Step;
            var weight = Mass[i] == 0 ? 0 : Mass[i] * Math.Exp(Math.Min(600, (tilt * loss) - peak));
            sum += weight;
            first += weight * loss;
            second += weight * loss * loss;
        }

        var mean = first / sum;
        return (peak + Math.Log(sum), mean, Math.Max(0, (second / sum) - (mean * mean)));
    }

    // The mean of the loss, the Kullback-Leibler divergence, by the trapezoid rule in x, analytic in a strip of half-width π·z.
    private static double MeanLoss(double rate, double noise, LossDirection direction)
    {
        var step = Math.Min(0.3, 0.3 * noise);
        var (reach, sum) = ((int)Math.Ceiling(13 / step), 0.0);
        for (var i = -reach; i <= reach; i++)
        {
            var x = i * step;
            var plain = Ratio(rate, noise, x * noise);
            var loss = direction == LossDirection.Add ? -plain : ((1 - rate) * plain) + (rate * Ratio(rate, noise, 1 + (x * noise)));
            sum += loss * Math.Exp(-0.5 * x * x);
        }

        return sum * step / Math.Sqrt(2 * Math.PI);
    }

    // v at x, and back.
    private static double Ratio(double rate, double noise, double x) => SampledGaussianQuadrature.LogRatio(rate, ((2 * x) - 1) / (2 * noise * noise));

    private static double Location(double rate, double noise, double v)
    {
        if (v > 30)
        {
            return (noise * noise * (v - Math.Log(rate) + LogSpace.Log1P(-(1 - rate) * Math.Exp(-v)))) + 0.5;
        }

        var above = LogSpace.ExpM1(v) + rate;
        return above <= 0 ? double.NegativeInfinity : (noise * noise * Math.Log(above / rate)) + 0.5;
    }

    // An edge in standard deviations with the tail on its own side of zero, so that differences keep their digits far out.
    private readonly record struct Tail(double Edge, double Beyond)
    {
        public static Tail At(double edge) => new(edge, NormalTail.Upper(Math.Abs(edge)));

        public static double Between(Tail from, Tail to)
        {
            Debug.Assert(from.Edge <= to.Edge);
            return Math.Max(0, from.Edge > 0 ? from.Beyond - to.Beyond : to.Edge <= 0 ? to.Beyond - from.Beyond : 1 - from.Beyond - to.Beyond);
        }
    }
}
