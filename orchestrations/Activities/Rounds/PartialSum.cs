using System.Buffers.Binary;
using System.Security.Cryptography;
using FedServerless.Wire;

namespace FedServerless.Activities.Rounds;

/// <summary>
/// What one chunk of clients came to, as it lies in the store between the two levels of a reduction: <c>FSPART1\n</c>, shard (−1 for
/// integers, −2 for inner products, −3 − s for what a solver's memory of shard s changes by) and chunk (int32; −1 for noised sums of all clients), count (int64), weight (binary64), the digest of the accepted document, <c>count</c> values of eight
/// bytes (sums in binary64, or integer maxima), SHA-256 of all before. Little-endian.
/// </summary>
/// <param name="Shard">The coordinate shard, or <see cref="Integers"/>.</param>
/// <param name="Chunk">The chunk of clients.</param>
/// <param name="Count">Values.</param>
/// <param name="Accepted">SHA-256 of the accepted document whose clients these are.</param>
internal readonly record struct PartialSum(int Shard, int Chunk, int Count, Digest Accepted)
{
    /// <summary>Stands for a shard where the values are the model's integers.</summary>
    public const int Integers = -1;

    /// <summary>Stands for a chunk where the values are a private round's noised sums, of all clients.</summary>
    public const int Noisy = -1;

    /// <summary>Stands for a shard where the values are inner products of updates; the chunk is then the super-block.</summary>
    public const int Gram = -2;

    /// <summary>Stands for shard 0 where the values are what a solver's memory changes by; below it the other shards.</summary>
    public const int Memory = -3;

    private const int WeightOffset = 24;
    private const int AcceptedOffset = 32;
    private const int ValuesOffset = AcceptedOffset + Digest.Size;

    private static ReadOnlySpan<byte> Magic => "FSPART1\n"u8;

    /// <summary>Bytes of the whole.</summary>
    public int Length => checked(ValuesOffset + (sizeof(double) * Count) + Digest.Size);

    /// <summary>The values' bytes within the whole.</summary>
    public static Span<byte> Values(Span<byte> bytes) => bytes[ValuesOffset..^Digest.Size];

    /// <summary>Completes the whole around the values.</summary>
    public void Seal(double weight, Span<byte> bytes)
    {
        WriteHead(bytes);
        BinaryPrimitives.WriteDoubleLittleEndian(bytes[WeightOffset..], weight);
        SHA256.HashData(bytes[..^Digest.Size], bytes[^Digest.Size..]);
    }

    /// <summary>Looks whether these are such values, whole and unchanged.</summary>
    /// <exception cref="InvalidDataException">They are not.</exception>
    public double Open(ReadOnlySpan<byte> bytes)
    {
        Span<byte> head = stackalloc byte[ValuesOffset];
        WriteHead(head);
        var isSound = bytes.Length == Length
            && bytes[..WeightOffset].SequenceEqual(head[..WeightOffset])
            && bytes[AcceptedOffset..ValuesOffset].SequenceEqual(head[AcceptedOffset..])
            && Digest.Of(bytes[..^Digest.Size]).AsSpan().SequenceEqual(bytes[^Digest.Size..]);
        return isSound
            ? BinaryPrimitives.ReadDoubleLittleEndian(bytes[WeightOffset..])
            : throw new InvalidDataException($"The partial sum of shard {Shard}, chunk {Chunk} is not what was written for these updates.");
    }

    private void WriteHead(Span<byte> bytes)
    {
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], Shard);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[12..], Chunk);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[16..], Count);
        Accepted.AsSpan().CopyTo(bytes[AcceptedOffset..]);
    }
}
