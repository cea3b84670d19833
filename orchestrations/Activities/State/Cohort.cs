using System.Security.Cryptography;
using System.Text;
using FedServerless.Wire;

namespace FedServerless.Activities.State;

/// <summary>A cohort in shards, so that a check-in reads a few kilobytes whatever the cohort's size.</summary>
public static class Cohort
{
    /// <summary>Clients a shard holds on average, at most.</summary>
    public const int ClientsPerShard = 1024;

    /// <summary>The reference of a sorted list of ids.</summary>
    public static CohortReference Describe(IReadOnlyList<string> sortedClients)
    {
        var shards = 1;
        while (shards * ClientsPerShard < sortedClients.Count)
        {
            shards *= 2;
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var client in sortedClients)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(client + "\n"));
        }

        return new CohortReference(sortedClients.Count, Digest.FromBytes(hash.GetHashAndReset()), shards);
    }

    /// <summary>The shard a client belongs to: the first four bytes of SHA-256 of its id, modulo <paramref name="shards"/>.</summary>
    public static int ShardOf(string client, int shards)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(client), hash);
        return (int)(System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(hash) % (uint)shards);
    }
}
