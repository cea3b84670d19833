namespace FedServerless.Aggregation.Robust;

/// <summary>
/// FLTrust: Cao, Fang, Liu and Gong 2021, arXiv:2012.13995, section 4, equations 2 to 4. A trusted client's root update g₀ is
/// the measure: a client's trust is <c>TSᵢ = max(0, cos(gᵢ, g₀))</c>, its update is scaled to the root's length, and the
/// aggregate is <c>Σ TSᵢ·(‖g₀‖/‖gᵢ‖)·gᵢ / Σ TSᵢ</c>.
/// </summary>
public static class FlTrust
{
    /// <summary>Finds the weights of the n clients; the scores are the cosines.</summary>
    /// <param name="gram">Inner products of the n clients' updates, then of the root update, then of zero: two extra rows.</param>
    /// <param name="norms">
    /// The clients' ‖gᵢ‖, where they are known; null to read them off the inner products, which lose a short update's length beside long ones.
    /// </param>
    public static ClientWeighting Find(GramMatrix gram, IReadOnlyList<double>? norms = null)
    {
        ArgumentNullException.ThrowIfNull(gram);
        ArgumentOutOfRangeException.ThrowIfLessThan(gram.Count, 3);
        if (!gram.IsFinite)
        {
            return ClientWeighting.Refused("refused: the lengths of the updates are not finite");
        }

        var (n, root, zero) = (gram.Count - 2, gram.Count - 2, gram.Count - 1);
        var length = Math.Sqrt(gram.SquaredDistance(root, zero));
        if (length == 0)
        {
            return ClientWeighting.Refused("refused: the root update is zero; it points nowhere");
        }

        var weights = new double[n];
        var cosines = new double[n];
        var total = 0.0;
        for (var i = 0; i < n; i++)
        {
            var norm = norms?[i] ?? Math.Sqrt(gram.SquaredDistance(i, zero));
            cosines[i] = norm == 0 ? 0 : Math.Clamp(gram.InnerProduct(i, root, zero) / (norm * length), -1, 1);
            var trust = Math.Max(0, cosines[i]);
            weights[i] = trust == 0 ? 0 : trust * length / norm;
            total += trust;
        }

        if (total == 0)
        {
            return ClientWeighting.Refused("refused: no update points the root update's way");
        }

        for (var i = 0; i < n; i++)
        {
            weights[i] /= total;
        }

        return ClientWeighting.Of(weights, cosines);
    }
}
