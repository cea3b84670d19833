namespace FedServerless.Aggregation.Robust;

/// <summary>Angles between the clients' updates and what a rule made of them.</summary>
internal static class ClientAngles
{
    /// <summary>
    /// <c>cos(xᵢ, z)</c> for <c>z = Σ wⱼ·xⱼ</c>, read off the inner products: <c>⟨xᵢ, z⟩ = Σ wⱼ·⟨xᵢ, xⱼ⟩</c>. 0 where a length is 0.
    /// </summary>
    /// <param name="gram">Inner products of the clients' updates, then of extra rows, of which the last one is zero.</param>
    /// <param name="clients">Clients.</param>
    /// <param name="weights">Of the first rows; they need not add to 1.</param>
    public static double[] ToSum(GramMatrix gram, int clients, IReadOnlyList<double> weights)
    {
        var zero = gram.Count - 1;
        var products = new double[weights.Count];
        var square = 0.0;
        for (var i = 0; i < products.Length; i++)
        {
            for (var j = 0; j < products.Length; j++)
            {
                products[i] += weights[j] * gram.InnerProduct(i, j, zero);
            }

            square += weights[i] * products[i];
        }

        var length = Math.Sqrt(Math.Max(0, square));
        var cosines = new double[clients];
        for (var i = 0; i < clients; i++)
        {
            var norm = Math.Sqrt(gram.SquaredDistance(i, zero));
            cosines[i] = norm == 0 || length == 0 ? 0 : Math.Clamp(products[i] / norm / length, -1, 1);
        }

        return cosines;
    }
}
