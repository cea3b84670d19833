namespace FedServerless.Privacy;

/// <summary>
/// The exact price of one release with real-valued Gaussian noise: Balle and Wang 2018, arXiv:1805.06530, theorem 8. n releases with
/// multipliers zᵢ are one with <c>z = (Σ zᵢ⁻²)^(−1/2)</c>. For discrete noise use <see cref="TightAccountant"/>, whose bracket has the grid in it.
/// </summary>
public static class AnalyticGaussian
{
    /// <summary><c>δ(ε) = Φ(1/2z − εz) − e^ε·Φ(−1/2z − εz)</c>.</summary>
    /// <param name="epsilon">0 or more.</param>
    /// <param name="noiseMultiplier">z, above 0.</param>
    public static double Delta(double epsilon, double noiseMultiplier)
    {
        if (!(epsilon >= 0))
        {
            throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, "An epsilon is 0 or more.");
        }

        ThrowIfNotNoise(noiseMultiplier);
        var (middle, half) = (epsilon * noiseMultiplier, 1 / (2 * noiseMultiplier));

        // Logarithms because e^ε overflows where its product with the tail does not.
        var difference = NormalTail.LogUpper(middle - half);
        return Math.Max(0, Math.Exp(difference) * -LogSpace.ExpM1(epsilon + NormalTail.LogUpper(middle + half) - difference));
    }

    /// <summary>The least ε at a δ, to 10⁻¹² (relative above 1) and never less than it is.</summary>
    /// <param name="delta">In (0, 1).</param>
    /// <param name="noiseMultiplier">z, above 0.</param>
    public static double Epsilon(double delta, double noiseMultiplier)
    {
        RenyiCurve.ThrowIfNotDelta(delta);
        ThrowIfNotNoise(noiseMultiplier);
        if (Delta(0, noiseMultiplier) <= delta)
        {
            return 0;
        }

        var (low, high) = (0.0, 1.0);
        while (Delta(high, noiseMultiplier) > delta)
        {
            (low, high) = (high, 2 * high);
        }

        while (high - low > 1e-12 * Math.Max(1, high))
        {
            var middle = (low + high) / 2;
            (low, high) = Delta(middle, noiseMultiplier) <= delta ? (low, middle) : (middle, high);
        }

        return high;
    }

    /// <summary>The least noise multiplier for a budget, to <see cref="NoiseCalibration.Tolerance"/> and never less than it is.</summary>
    /// <param name="budget">ε above 0, δ in (0, 1).</param>
    public static double NoiseMultiplier(PrivacySpend budget)
    {
        RenyiCurve.ThrowIfNotDelta(budget.Delta);
        return NoiseCalibration.Least(budget.Epsilon, null, noise => Epsilon(budget.Delta, noise));
    }

    private static void ThrowIfNotNoise(double noiseMultiplier)
    {
        if (!(noiseMultiplier > 0 && double.IsFinite(noiseMultiplier)))
        {
            throw new ArgumentOutOfRangeException(nameof(noiseMultiplier), noiseMultiplier, "A noise multiplier is above 0 and finite.");
        }
    }
}
