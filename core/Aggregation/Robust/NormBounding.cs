namespace FedServerless.Aggregation.Robust;

/// <summary>
/// Norm bounding: Sun, Kairouz, Suresh and McMahan 2019, arXiv:1911.07963, section 4: <c>Σ pᵢ·xᵢ·min(1, C/‖xᵢ‖)</c>, where the
/// shares <c>pᵢ</c> add to 1. Needs each client's norm only, so it goes with every codec.
/// </summary>
public static class NormBounding
{
    /// <summary>Finds the weights; the scores are the norms.</summary>
    /// <param name="norms">‖xᵢ‖, finite and 0 or more.</param>
    /// <param name="shares">The clients' weights, above 0.</param>
    /// <param name="bound">C, above 0 and finite, in the units of the updates.</param>
    public static ClientWeighting Find(IReadOnlyList<double> norms, IReadOnlyList<double> shares, double bound)
    {
        ArgumentNullException.ThrowIfNull(norms);
        ArgumentNullException.ThrowIfNull(shares);
        ArgumentOutOfRangeException.ThrowIfNotEqual(shares.Count, norms.Count);
        if (!(bound > 0) || !double.IsFinite(bound))
        {
            throw new ArgumentOutOfRangeException(nameof(bound), bound, "The norm's bound is above 0 and finite.");
        }

        if (norms.Count == 0)
        {
            return ClientWeighting.Refused("refused: there is no update");
        }

        var total = 0.0;
        foreach (var share in shares)
        {
            total += share;
        }

        var weights = new double[norms.Count];
        for (var i = 0; i < weights.Length; i++)
        {
            weights[i] = shares[i] / total * (norms[i] > bound ? bound / norms[i] : 1);
        }

        return ClientWeighting.Of(weights, [.. norms]);
    }
}
