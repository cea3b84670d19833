using FedServerless.Wire.Updates;

namespace FedServerless.Capacity;

/// <summary>How large a round is, as far as its cost goes.</summary>
/// <param name="Clients">Updates to expect: the cohort.</param>
/// <param name="UpdateBytes">Bytes of an update's payload.</param>
/// <param name="Parts">Objects of a payload, at least 1.</param>
/// <param name="Shards">Coordinate shards, at least 1.</param>
/// <param name="ShardBytes">Bytes of the longest shard of one update.</param>
/// <param name="ShardReads">Most reads that a shard of one update takes.</param>
/// <param name="AllShardReads">Reads of one update by all shards together.</param>
public sealed record RoundSize(int Clients, long UpdateBytes, int Parts, int Shards, long ShardBytes, int ShardReads, int AllShardReads)
{
    /// <summary>Measures a round; exact for codecs of fixed length, and what is to be expected of others.</summary>
    /// <param name="shape">What an update looks like.</param>
    /// <param name="partBytes">Most bytes of a part.</param>
    /// <param name="shardCoordinates">Coordinates of a shard.</param>
    /// <param name="clients">Updates to expect.</param>
    public static RoundSize Of(UpdateShape shape, int partBytes, long shardCoordinates, int clients)
    {
        ArgumentNullException.ThrowIfNull(shape);
        var parts = PartsOfBlocks(shape, partBytes);
        var shards = ShardLayout.Count(shape.Layout.ParameterCount, shape.Layout.BufferCount, shardCoordinates);
        var (longest, most, all) = (0L, 0, 0);
        foreach (var (start, count) in Ranges(shape, shardCoordinates))
        {
            var (first, blocks) = shape.BlocksOf(start, count);
            var bytes = Enumerable.Range(first, blocks).Sum(block => (long)shape.ExpectedBlockLength(block));
            var reads = parts[first + blocks - 1] - parts[first] + 1;
            (longest, most, all) = (Math.Max(longest, bytes), Math.Max(most, reads), all + reads);
        }

        var payload = Enumerable.Range(0, shape.BlockCount).Sum(block => (long)shape.ExpectedBlockLength(block));
        return new RoundSize(clients, payload, parts.Length == 0 ? 0 : parts[^1] + 1, shards, longest, most, all);
    }

    private static IEnumerable<(long Start, long Count)> Ranges(UpdateShape shape, long shardCoordinates)
    {
        var (parameters, floats) = (shape.Layout.ParameterCount, shape.Layout.FloatCount);
        for (var start = 0L; start < parameters; start += shardCoordinates)
        {
            yield return (start, Math.Min(shardCoordinates, parameters - start));
        }

        for (var start = parameters; start < floats; start += shardCoordinates)
        {
            yield return (start, Math.Min(shardCoordinates, floats - start));
        }
    }

    /// <summary>For each block, the part that holds it in a payload of the expected length: cut as <see cref="UpdateParts"/> cuts it.</summary>
    private static int[] PartsOfBlocks(UpdateShape shape, int partBytes)
    {
        var parts = new int[shape.BlockCount];
        var (part, filled) = (-1, (long)partBytes);
        for (var block = 0; block < parts.Length; block++)
        {
            var length = shape.ExpectedBlockLength(block);
            filled += length;
            if (filled > partBytes)
            {
                part++;
                filled = length;
            }

            parts[block] = part;
        }

        return parts;
    }
}
