using System.Numerics;

namespace FedServerless.Privacy;

/// <summary>
/// The distribution of a sum of independent rounded losses near one point of its upper tail, by the Fourier transform of exponentially tilted masses
/// (Esscher 1932): under the weights <c>e^{λ·loss}</c> the tail that decides δ is in the middle, so the transform's error is small beside δ, not beside 1.
/// </summary>
internal sealed class PrivacyLossSum
{
    /// <summary>What may wrap around, of a whole of 1 under the tilt.</summary>
    public const double Negligible = 1e-9;

    private readonly double _step;
    private readonly double _tilt;
    private readonly double _log;
    private readonly double _error;
    private readonly long _first;
    private readonly double[] _atLeast;
    private readonly double[] _discounted;

    /// <summary>Composes.</summary>
    /// <param name="parts">Masses on one step, and how often each.</param>
    /// <param name="tilt">λ, 0 or more.</param>
    /// <param name="window">From <see cref="Window"/> with the same parts and tilt.</param>
    public PrivacyLossSum(IReadOnlyList<(PrivacyLossMass Mass, long Count)> parts, double tilt, (int Length, double Aliased) window)
    {
        (_step, _tilt) = (parts[0].Mass.Step, tilt);
        var (log, mean, _) = Total(parts, tilt);
        _log = log;
        var length = window.Length;
        var (sum, arithmetic) = Convolve(parts, tilt, length);
        _error = window.Aliased + arithmetic;

        // The cells stand for the multiples of the step around the mean under the tilt.
        _first = (long)Math.Round(mean / _step) - (length / 2);
        (_atLeast, _discounted) = (new double[length + 1], new double[length + 1]);
        for (var i = length - 1; i >= 0; i--)
        {
            var position = _first + i;
            var loss = position * _step;
            var mass = Math.Max(0, sum[(int)(((position % length) + length) % length)].Real) * Math.Exp(Math.Min(600, log - (tilt * loss)));
            _atLeast[i] = _atLeast[i + 1] + mass;
            _discounted[i] = _discounted[i + 1] + (mass * Math.Exp(-loss));
        }
    }

    /// <summary><c>E[(1 − e^{ε − sum})₊]</c> of the rounded sum, and how far it may be off.</summary>
    public (double Delta, double Error) Delta(double epsilon)
    {
        var index = (int)Math.Clamp(Math.Floor(epsilon / _step) + 1 - _first, 0, _atLeast.Length - 1);
        var delta = Math.Max(0, _atLeast[index] - (Math.Exp(epsilon) * _discounted[index]));
        return (delta, (_error * Math.Exp(Math.Min(600, _log - (_tilt * epsilon)))) + (1e-12 * _atLeast[index]));
    }

    /// <summary>
    /// The length of a circular window so wide that, by Chernoff's bound under the tilt, next to nothing wraps around; and what does, which is more where
    /// <paramref name="mostCells"/> do not suffice.
    /// </summary>
    public static (int Length, double Aliased) Window(IReadOnlyList<(PrivacyLossMass Mass, long Count)> parts, double tilt, int mostCells)
    {
        var step = parts[0].Mass.Step;
        var (log, mean, variance) = Total(parts, tilt);
        var deviation = Math.Sqrt(variance) + step;
        var length = 64;
        while (length < mostCells && length * step < 18 * deviation)
        {
            length *= 2;
        }

        while (true)
        {
            // One step less on either side for the rounding of the window's middle.
            var half = ((length / 2) - 1) * step;
            var aliased = Outside(half);
            if (aliased < Negligible || length >= mostCells)
            {
                return (length, Math.Min(1, aliased));
            }

            length *= 2;
        }

        double Outside(double half)
        {
            var (above, below) = (1.0, 1.0);
            foreach (var deviations in (ReadOnlySpan<double>)[0.5, 1, 2, 4, 8])
            {
                // Rates of the normal's own size: losses of rare large jumps have moments that explode at larger ones.
                var more = deviations / deviation;
                above = Math.Min(above, Math.Exp(Total(parts, tilt + more).Log - log - (more * (mean + half))));
                below = Math.Min(below, Math.Exp(Total(parts, tilt - more).Log - log + (more * (mean - half))));
            }

            return double.IsNaN(above + below) ? 1 : above + below;
        }
    }

    /// <summary>Logarithm of the moment, mean and variance of the sum under a tilt.</summary>
    public static (double Log, double Mean, double Variance) Total(IReadOnlyList<(PrivacyLossMass Mass, long Count)> parts, double tilt)
    {
        var (log, mean, variance) = (0.0, 0.0, 0.0);
        foreach (var (mass, count) in parts)
        {
            var one = mass.Tilted(tilt);
            (log, mean, variance) = (log + (count * one.Log), mean + (count * one.Mean), variance + (count * one.Variance));
        }

        return (log, mean, variance);
    }

    private static (Complex[] Sum, double Error) Convolve(IReadOnlyList<(PrivacyLossMass Mass, long Count)> parts, double tilt, int length)
    {
        var transform = new FourierTransform(length);
        var product = new Complex[length];
        Array.Fill(product, Complex.One);
        var (one, releases) = (new Complex[length], 0L);
        foreach (var (mass, count) in parts)
        {
            Array.Clear(one);
            var log = mass.Tilted(tilt).Log;
            for (var i = 0; i < mass.Mass.Length; i++)
            {
                var position = mass.First + i;
                one[(int)(((position % length) + length) % length)] += mass.Mass[i] == 0 ? 0 : mass.Mass[i] * Math.Exp((tilt * position * mass.Step) - log);
            }

            transform.Forward(one);
            for (var i = 0; i < length; i++)
            {
                product[i] *= Power(one[i], count);
            }

            releases += count;
        }

        // Each coefficient of a factor is off by at most 1e-15·log2(n), of the product by as many times that as there are factors; by
        // Cauchy and Schwarz the values are then off, all together, by no more than the spectrum's error as a vector.
        var perCoefficient = 1e-15 * BitOperations.Log2((uint)length);
        var square = 0.0;
        foreach (var coefficient in product)
        {
            var magnitude = Complex.Abs(coefficient) + perCoefficient;
            square += magnitude * magnitude;
        }

        transform.Backward(product);
        return (product, (releases + 1) * perCoefficient * Math.Sqrt(square));
    }

    private static Complex Power(Complex value, long exponent)
    {
        var result = Complex.One;
        for (var square = value; exponent > 0; exponent >>= 1)
        {
            if ((exponent & 1) != 0)
            {
                result *= square;
            }

            square *= square;
        }

        return result;
    }
}
