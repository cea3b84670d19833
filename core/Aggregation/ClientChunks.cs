namespace FedServerless.Aggregation;

/// <summary>
/// How a cohort is cut for a fold. The cut is part of what the sum of many clients means: clients in ascending id order are
/// taken in chunks, each chunk is folded from zero, and the chunks' sums are added in order. It is the same whether one
/// activity does all of it or many share it, so the bytes do not tell which.
/// </summary>
public static class ClientChunks
{
    /// <summary>Clients of a chunk; a constant of the format. Up to so many clients the fold is a plain one.</summary>
    public const int Size = 1024;

    /// <summary>Number of chunks of a number of clients.</summary>
    /// <param name="clients">0 or more.</param>
    /// <param name="size">Clients of a chunk, 1 or more.</param>
    public static int Count(int clients, int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(clients);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        return (int)(((long)clients + size - 1) / size);
    }

    /// <summary>The clients of a chunk: the position of the first, and how many.</summary>
    /// <param name="chunk">From 0.</param>
    /// <param name="clients">Clients in all.</param>
    /// <param name="size">Clients of a chunk, 1 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such chunk.</exception>
    public static (int First, int Count) Range(int chunk, int clients, int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(chunk);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(chunk, Count(clients, size));
        var first = (int)Math.Min(int.MaxValue, (long)chunk * size);
        return (first, Math.Min(size, clients - first));
    }
}
