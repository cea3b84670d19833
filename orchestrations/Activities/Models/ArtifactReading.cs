using System.Buffers;
using System.Security.Cryptography;
using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Wire;

namespace FedServerless.Activities.Models;

/// <summary>Facts about an object's content.</summary>
public static class ArtifactReading
{
    private const int BufferBytes = 1 << 20;

    /// <summary>Length and SHA-256 of a stored object, read once in constant memory.</summary>
    /// <exception cref="InvalidDataException">It does not exist.</exception>
    public static async Task<StoredArtifact> DescribeAsync(this IObjectStore store, string name, CancellationToken cancellationToken)
    {
        await using var content = await store.OpenAsync(name, 0, cancellationToken) ?? throw new InvalidDataException($"'{name}' does not exist.");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int read;
            while ((read = await content.Stream.ReadAsync(buffer, cancellationToken)) > 0)
            {
                hash.AppendData(buffer.AsSpan(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return new StoredArtifact(name, content.Facts.Length, Digest.FromBytes(hash.GetHashAndReset()));
    }
}
