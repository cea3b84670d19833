using FedServerless.Numerics;

namespace FedServerless.Aggregation.Robust;

/// <summary>What is done to updates before a rule, where clients' data differ so much that honest ones look alike to liars.</summary>
public static class Mixings
{
    /// <summary>
    /// Bucketing: Karimireddy, He and Jaggi 2022, arXiv:2006.09365, algorithm 1. Clients in a random order, cut into
    /// <c>⌈n/s⌉</c> buckets of s (the last may have fewer), each replaced by its mean. f liars spoil at most f buckets.
    /// </summary>
    /// <param name="clients">n, 1 or more.</param>
    /// <param name="size">s, 1 or more; 1 only shuffles.</param>
    /// <param name="chance">The plan's, for this round.</param>
    public static RowMixing Buckets(int clients, int size, DeterministicRandom chance)
    {
        ArgumentNullException.ThrowIfNull(chance);
        ArgumentOutOfRangeException.ThrowIfLessThan(clients, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        var order = new int[clients];
        for (var i = 0; i < clients; i++)
        {
            order[i] = i;
        }

        chance.Shuffle(order.AsSpan());
        var buckets = BucketCount(clients, size);
        var weights = new double[buckets * clients];
        for (var b = 0; b < buckets; b++)
        {
            var members = order.AsSpan(b * size, Math.Min(size, clients - (b * size)));
            foreach (var member in members)
            {
                weights[(b * clients) + member] = 1.0 / members.Length;
            }
        }

        return new RowMixing(buckets, clients, weights);
    }

    /// <summary>Buckets of so many clients: ⌈n/s⌉.</summary>
    public static int BucketCount(int clients, int size) => ((clients - 1) / size) + 1;

    /// <summary>
    /// Nearest-neighbour mixing: Allouah, Farhadkhani, Guerraoui, Gupta, Pinot and Stephan 2023, arXiv:2302.01772, algorithm 1.
    /// Each update is replaced by the mean of the <c>n − f</c> nearest to it, itself among them; at equal distance the lowest
    /// client comes first.
    /// </summary>
    /// <param name="gram">Inner products of the n clients' updates.</param>
    /// <param name="f">Clients that may lie, 0 to n − 1.</param>
    public static RowMixing NearestNeighbours(GramMatrix gram, int f)
    {
        ArgumentNullException.ThrowIfNull(gram);
        ArgumentOutOfRangeException.ThrowIfNegative(f);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(f, gram.Count);
        var n = gram.Count;
        var weights = new double[n * n];
        var distances = new double[n];
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
            {
                distances[j] = gram.SquaredDistance(i, j);
            }

            // Itself first, whoever else is at distance 0.
            distances[i] = -1;
            foreach (var j in ClientOrder.Lowest(distances, n - f))
            {
                weights[(i * n) + j] = 1.0 / (n - f);
            }
        }

        return new RowMixing(n, n, weights);
    }
}
