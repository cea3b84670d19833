using FedServerless.Numerics;

namespace FedServerless.Client.Training;

/// <summary>
/// Ways to deal one set of samples out to simulated clients. Every sample goes to exactly one client; each client's indices are in
/// ascending order.
/// </summary>
public static class Partition
{
    /// <summary>Fewest samples that <see cref="Dirichlet"/> leaves a client with, unless told otherwise.</summary>
    public const int DefaultMinimumSamples = 10;

    /// <summary>Times that <see cref="Dirichlet"/> draws in the hope of reaching its minimum by chance.</summary>
    private const int MaxDraws = 100;

    /// <summary>Independent and identically distributed: a shuffle dealt out in turn; sizes differ by at most one.</summary>
    /// <param name="samples">Number of samples, at least <paramref name="clients"/>.</param>
    /// <param name="clients">1 or more.</param>
    /// <param name="seed">Where the shuffle comes from.</param>
    public static int[][] Iid(int samples, int clients, long seed)
    {
        ThrowIfTooFew(samples, clients, 1);
        var order = Enumerable.Range(0, samples).ToArray();
        DeterministicRandom.Derive(seed, "partition-iid").Shuffle<int>(order);
        return Cut(order, clients);
    }

    /// <summary>
    /// Label skew by Dirichlet proportions, in the *per class over clients* definition (Yurochkin et al. 2019, arXiv:1905.12022,
    /// and NIID-Bench; not the per-client-over-classes one of Hsu et al. 2019): for each class draw p ~ Dir(α, …, α) over clients,
    /// shuffle the class's samples and cut them at ⌊n·(p₁ + … + pⱼ)⌋.
    /// </summary>
    /// <remarks>
    /// A draw that leaves a client below the minimum is drawn again, 100 times at most; of those the one with the largest
    /// smallest client is kept, and each client still below the minimum takes its missing samples from whoever then has most.
    /// Gamma variates use the platform's logarithm and power, so another C library may in principle move a boundary by one sample.
    /// </remarks>
    /// <param name="labels">Every sample's class.</param>
    /// <param name="clients">1 or more.</param>
    /// <param name="alpha">Concentration, above 0, at most 1 000 000: 0.1 is very skewed, 100 nearly even.</param>
    /// <param name="seed">Where all draws come from.</param>
    /// <param name="minimumSamples">Fewest samples a client gets, 1 or more; all clients' together at most the samples there are.</param>
    public static int[][] Dirichlet(
        ReadOnlySpan<int> labels, int clients, double alpha, long seed, int minimumSamples = DefaultMinimumSamples)
    {
        ThrowIfTooFew(labels.Length, clients, minimumSamples);
        if (alpha is not (> 0 and <= 1_000_000))
        {
            throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "Expected a number above 0, at most 1 000 000.");
        }

        var classes = ByClass(labels);
        List<int>[]? best = null;
        for (var draw = 0; draw < MaxDraws && (best is null || Smallest(best) < minimumSamples); draw++)
        {
            var candidate = DrawDirichlet(classes, clients, alpha, DeterministicRandom.Derive(seed, "partition-dirichlet", draw));
            best = best is null || Smallest(candidate) > Smallest(best) ? candidate : best;
        }

        TopUp(best!, minimumSamples);
        return [.. best!.Select(Sorted)];

        static int Smallest(List<int>[] parts) => parts.Min(part => part.Count);
    }

    /// <summary>
    /// The pathological split of McMahan et al. 2017 (arXiv:1602.05629, section 3): sort by label, cut into clients × shards
    /// equal shards, deal them out at random. With two shards most clients see two classes only.
    /// </summary>
    /// <param name="labels">Every sample's class.</param>
    /// <param name="clients">1 or more.</param>
    /// <param name="seed">Where the deal comes from.</param>
    /// <param name="shardsPerClient">1 or more. Default 2.</param>
    public static int[][] LabelShards(ReadOnlySpan<int> labels, int clients, long seed, int shardsPerClient = 2)
    {
        ThrowIfTooFew(labels.Length, clients, shardsPerClient);
        var sorted = ByClass(labels).SelectMany(members => members).ToArray();
        var shards = Cut(sorted, clients * shardsPerClient);
        DeterministicRandom.Derive(seed, "partition-shards").Shuffle<int[]>(shards);
        return [.. shards.Chunk(shardsPerClient).Select(dealt => Sorted(dealt.SelectMany(shard => shard)))];
    }

    private static void ThrowIfTooFew(int samples, int clients, int minimum)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(clients, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(minimum, 1);
        if (samples < (long)clients * minimum)
        {
            throw new ArgumentException($"{samples} samples cannot give each of {clients} clients {minimum} or more.", nameof(samples));
        }
    }

    /// <summary>Consecutive runs of nearly equal length, the longer ones first.</summary>
    private static int[][] Cut(int[] order, int parts)
    {
        var (size, longer) = Math.DivRem(order.Length, parts);
        var result = new int[parts][];
        var start = 0;
        for (var part = 0; part < parts; part++)
        {
            var length = size + (part < longer ? 1 : 0);
            result[part] = Sorted(order.Skip(start).Take(length));
            start += length;
        }

        return result;
    }

    private static int[][] ByClass(ReadOnlySpan<int> labels)
    {
        var byClass = new SortedDictionary<int, List<int>>();
        for (var i = 0; i < labels.Length; i++)
        {
            if (!byClass.TryGetValue(labels[i], out var members))
            {
                byClass[labels[i]] = members = [];
            }

            members.Add(i);
        }

        return [.. byClass.Values.Select(members => members.ToArray())];
    }

    private static List<int>[] DrawDirichlet(int[][] classes, int clients, double alpha, DeterministicRandom random)
    {
        var parts = new List<int>[clients];
        for (var client = 0; client < clients; client++)
        {
            parts[client] = [];
        }

        var cumulative = new double[clients];
        foreach (var members in classes)
        {
            var shuffled = (int[])members.Clone();
            random.Shuffle<int>(shuffled);
            DirichletDistribution.DrawCumulative(random, alpha, cumulative);
            var start = 0;
            for (var client = 0; client < clients; client++)
            {
                var end = client == clients - 1 ? shuffled.Length : (int)(cumulative[client] * shuffled.Length);
                parts[client].AddRange(shuffled.AsSpan(start, end - start));
                start = end;
            }
        }

        return parts;
    }

    private static void TopUp(List<int>[] parts, int minimum)
    {
        foreach (var poor in parts)
        {
            while (poor.Count < minimum)
            {
                var rich = parts.MaxBy(part => part.Count)!;
                poor.Add(rich[^1]);
                rich.RemoveAt(rich.Count - 1);
            }
        }
    }

    private static int[] Sorted(IEnumerable<int> indices)
    {
        var sorted = indices.ToArray();
        Array.Sort(sorted);
        return sorted;
    }
}
