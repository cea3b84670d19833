namespace FedServerless.Aggregation.Robust;

/// <summary>
/// Centered clipping: Karimireddy, He and Jaggi 2021, arXiv:2012.10333, algorithm 2. From the previous round's aggregate
/// <c>v₀</c>: <c>v ← v + (1/n)·Σ (xᵢ − v)·min(1, τ/‖xᵢ − v‖)</c>, a number of times.
/// </summary>
public static class CenteredClipping
{
    /// <summary>Finds the weights of the clients and, last, of the centre row; the scores are the clients' distances to the result.</summary>
    /// <param name="gram">Inner products of the n clients' updates and, as the last row, of the centre <c>v₀</c>.</param>
    /// <param name="f">Clients that may lie: <c>n ≥ 2f + 1</c>.</param>
    /// <param name="radius">τ, above 0 and finite, in the units of the updates.</param>
    /// <param name="iterations">1 to 1000; the paper uses 1 when v₀ is a good guess.</param>
    public static ClientWeighting Find(GramMatrix gram, int f, double radius, int iterations)
    {
        ArgumentNullException.ThrowIfNull(gram);
        ArgumentOutOfRangeException.ThrowIfLessThan(gram.Count, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(iterations, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(iterations, 1000);
        if (!(radius > 0) || !double.IsFinite(radius))
        {
            throw new ArgumentOutOfRangeException(nameof(radius), radius, "The clipping radius is above 0 and finite.");
        }

        var n = gram.Count - 1;
        if (ByzantineBounds.Majority(n, f) is { } problem)
        {
            return ClientWeighting.Refused(problem);
        }

        if (!gram.IsFinite)
        {
            return ClientWeighting.Refused("refused: the distances between the updates are not finite");
        }

        var weights = new double[gram.Count];
        weights[n] = 1;
        var distances = new double[gram.Count];
        for (var k = 0; k < iterations; k++)
        {
            ClientSpace.Distances(gram, weights, distances);
            Step(weights, distances.AsSpan(0, n), radius);
        }

        ClientSpace.Distances(gram, weights, distances);
        return ClientWeighting.Of(weights, distances[..n], iterations);
    }

    private static void Step(double[] weights, ReadOnlySpan<double> distances, double radius)
    {
        Span<double> factors = distances.Length <= 256 ? stackalloc double[distances.Length] : new double[distances.Length];
        var moved = 0.0;
        for (var i = 0; i < factors.Length; i++)
        {
            factors[i] = (distances[i] > radius ? radius / distances[i] : 1) / factors.Length;
            moved += factors[i];
        }

        for (var j = 0; j < weights.Length; j++)
        {
            weights[j] *= 1 - moved;
        }

        for (var i = 0; i < factors.Length; i++)
        {
            weights[i] += factors[i];
        }
    }
}
