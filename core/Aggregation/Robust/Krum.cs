namespace FedServerless.Aggregation.Robust;

/// <summary>
/// Krum and Multi-Krum: Blanchard, El Mhamdi, Guerraoui and Stainer 2017, arXiv:1703.02757, section 4. A client's score is the
/// sum of its squared distances to its <c>n − f − 2</c> nearest other clients; the lowest scores win, at equal scores the
/// lowest client id.
/// </summary>
public static class Krum
{
    /// <summary>The scores, in the order of the clients.</summary>
    /// <param name="gram">Inner products of the n clients' updates.</param>
    /// <param name="f">Clients that may lie: <c>n ≥ 2f + 3</c>.</param>
    /// <exception cref="ArgumentException">Too few clients for f.</exception>
    public static double[] Scores(GramMatrix gram, int f)
    {
        ArgumentNullException.ThrowIfNull(gram);
        if (ByzantineBounds.Krum(gram.Count, f) is { } problem)
        {
            throw new ArgumentException(problem, nameof(f));
        }

        var scores = new double[gram.Count];
        var distances = new double[gram.Count - 1];
        for (var i = 0; i < scores.Length; i++)
        {
            for (var j = 0; j < distances.Length; j++)
            {
                distances[j] = gram.SquaredDistance(i, j < i ? j : j + 1);
            }

            Array.Sort(distances);
            foreach (var distance in distances.AsSpan(0, gram.Count - f - 2))
            {
                scores[i] += distance;
            }
        }

        return scores;
    }

    /// <summary>
    /// The mean of the <paramref name="keep"/> clients with the lowest scores; 1 is Krum itself.
    /// </summary>
    /// <param name="gram">Inner products of the n clients' updates.</param>
    /// <param name="f">Clients that may lie.</param>
    /// <param name="keep">1 to <c>n − f − 2</c>, the paper's bound; 0 means that bound.</param>
    /// <param name="sampleWeights">For a mean weighted by samples instead of the paper's plain one: above 0, one a client; null for the plain one.</param>
    public static ClientWeighting Choose(GramMatrix gram, int f, int keep, IReadOnlyList<double>? sampleWeights = null)
    {
        ArgumentNullException.ThrowIfNull(gram);
        if (ByzantineBounds.Krum(gram.Count, f) is { } problem)
        {
            return ClientWeighting.Refused(problem);
        }

        var most = gram.Count - f - 2;
        ArgumentOutOfRangeException.ThrowIfNegative(keep);
        if (keep > most)
        {
            return ClientWeighting.Refused($"refused: Multi-Krum keeps at most n−f−2 = {most} of n = {gram.Count} clients with f = {f}; {keep} were asked for");
        }

        if (!gram.IsFinite)
        {
            return ClientWeighting.Refused("refused: the distances between the updates are not finite");
        }

        var scores = Scores(gram, f);
        var chosen = ClientOrder.Lowest(scores, keep == 0 ? most : keep);
        return ClientWeighting.Of(ClientOrder.MeanOf(chosen, scores.Length, sampleWeights), scores);
    }
}
