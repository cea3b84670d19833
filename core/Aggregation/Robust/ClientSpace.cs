namespace FedServerless.Aggregation.Robust;

/// <summary>Points that are weighted sums of rows, known by their weights.</summary>
internal static class ClientSpace
{
    /// <summary>
    /// <c>‖xᵢ − z‖</c> for all rows, where <c>z = Σ bⱼ·xⱼ</c> and the weights add to 1: <c>√(Gᵢᵢ − 2(Gb)ᵢ + bᵀGb)</c>, taken as 0
    /// where rounding makes it negative.
    /// </summary>
    public static void Distances(GramMatrix gram, ReadOnlySpan<double> b, Span<double> distances)
    {
        gram.Multiply(b, distances);
        var square = 0.0;
        for (var i = 0; i < b.Length; i++)
        {
            square += b[i] * distances[i];
        }

        for (var i = 0; i < distances.Length; i++)
        {
            distances[i] = Math.Sqrt(Math.Max(0, gram[i, i] - (2 * distances[i]) + square));
        }
    }
}
