namespace FedServerless.Aggregation.Robust;

/// <summary>
/// Bulyan over Krum: El Mhamdi, Guerraoui and Rouault 2018, arXiv:1802.07927, section 4. This is its first step, which picks
/// <c>θ = n − 2f</c> clients; the second takes, for each coordinate, the mean of the <c>β = θ − 2f</c> values nearest their median.
/// </summary>
public static class Bulyan
{
    /// <summary>θ, the clients picked.</summary>
    public static int Picked(int clients, int f) => clients - (2 * f);

    /// <summary>β, the values kept of each coordinate.</summary>
    public static int Kept(int clients, int f) => clients - (4 * f);

    /// <summary>
    /// Takes the client with the lowest Krum score out of the set θ times; among m left the score counts the
    /// <c>max(1, m − f − 2)</c> nearest. Weights are 1 for those taken and 0 for the rest; scores are those at which each was
    /// taken, infinite for the rest.
    /// </summary>
    /// <param name="gram">Inner products of the n clients' updates.</param>
    /// <param name="f">Clients that may lie: <c>n ≥ 4f + 3</c>.</param>
    public static ClientWeighting Choose(GramMatrix gram, int f)
    {
        ArgumentNullException.ThrowIfNull(gram);
        if (ByzantineBounds.Bulyan(gram.Count, f) is { } problem)
        {
            return ClientWeighting.Refused(problem);
        }

        if (!gram.IsFinite)
        {
            return ClientWeighting.Refused("refused: the distances between the updates are not finite");
        }

        var n = gram.Count;
        var neighbours = Neighbours(gram);
        var weights = new double[n];
        var scores = new double[n];
        Array.Fill(scores, double.PositiveInfinity);
        var left = new bool[n];
        Array.Fill(left, true);
        for (var m = n; m > n - Picked(n, f); m--)
        {
            var (best, lowest) = Best(gram, neighbours, left, Math.Max(1, m - f - 2));
            left[best] = false;
            weights[best] = 1;
            scores[best] = lowest;
        }

        return ClientWeighting.Of(weights, scores);
    }

    /// <summary>Each client's others by ascending distance, sorted once: taking clients out does not reorder the rest.</summary>
    private static int[][] Neighbours(GramMatrix gram)
    {
        var distances = new double[gram.Count];
        var neighbours = new int[gram.Count][];
        for (var i = 0; i < neighbours.Length; i++)
        {
            for (var j = 0; j < distances.Length; j++)
            {
                distances[j] = gram.SquaredDistance(i, j);
            }

            neighbours[i] = [.. ClientOrder.Ascending(distances).Where(j => j != i)];
        }

        return neighbours;
    }

    private static (int Client, double Score) Best(GramMatrix gram, int[][] neighbours, bool[] left, int count)
    {
        var best = -1;
        var lowest = double.PositiveInfinity;
        for (var i = 0; i < left.Length; i++)
        {
            if (!left[i])
            {
                continue;
            }

            var score = 0.0;
            var taken = 0;
            foreach (var j in neighbours[i])
            {
                if (taken == count)
                {
                    break;
                }

                if (left[j])
                {
                    score += gram.SquaredDistance(i, j);
                    taken++;
                }
            }

            if (best < 0 || score < lowest)
            {
                (best, lowest) = (i, score);
            }
        }

        return (best, lowest);
    }
}
