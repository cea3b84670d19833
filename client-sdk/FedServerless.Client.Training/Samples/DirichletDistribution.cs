using FedServerless.Numerics;

namespace FedServerless.Client.Training;

/// <summary>Symmetric Dirichlet proportions from gamma variates.</summary>
internal static class DirichletDistribution
{
    /// <summary>Draws p ~ Dir(α, …, α) and writes the running sums p₁, p₁ + p₂, …; ascending, within [0, 1].</summary>
    public static void DrawCumulative(DeterministicRandom random, double alpha, Span<double> cumulative)
    {
        // Logarithms: for a small α all of a draw's variates may be below the smallest double.
        var largest = double.NegativeInfinity;
        foreach (ref var value in cumulative)
        {
            value = DrawLogGamma(random, alpha);
            largest = Math.Max(largest, value);
        }

        var sum = 0.0;
        foreach (ref var value in cumulative)
        {
            sum += Math.Exp(value - largest);
            value = sum;
        }

        foreach (ref var value in cumulative)
        {
            value /= sum;
        }
    }

    /// <summary>
    /// The logarithm of a Gamma(α, 1) variate: Marsaglia and Tsang 2000, "A simple method for generating gamma variables"; below
    /// one by its note <c>Γ(α) = Γ(α + 1)·U^(1/α)</c>.
    /// </summary>
    internal static double DrawLogGamma(DeterministicRandom random, double alpha)
    {
        var boost = alpha < 1 ? Math.Log(1 - random.NextDouble()) / alpha : 0;
        var d = (alpha < 1 ? alpha + 1 : alpha) - (1.0 / 3);
        var c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            var x = random.NextGaussian();
            var v = 1 + (c * x);
            v = v * v * v;
            if (v > 0 && Math.Log(1 - random.NextDouble()) < (0.5 * x * x) + d - (d * v) + (d * Math.Log(v)))
            {
                return Math.Log(d * v) + boost;
            }
        }
    }
}
