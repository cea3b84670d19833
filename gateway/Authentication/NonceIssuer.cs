using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;

namespace FedServerless.Gateway.Authentication;

/// <summary>
/// Nonces without state: the number of a one-minute bucket and its HMAC-SHA256, cut to 16 bytes, under a key that all hosts of a
/// deployment share.
/// </summary>
public sealed class NonceIssuer
{
    /// <summary>Seconds in a bucket.</summary>
    public const int BucketSeconds = 60;

    /// <summary>Buckets before the present one whose nonces are still good: every nonce lives ten minutes at least, eleven at most.</summary>
    public const int OldBuckets = 10;

    private const int MacBytes = 16;

    private const int NonceBytes = sizeof(long) + MacBytes;

    private readonly byte[] _key;

    private readonly TimeProvider _time;

    /// <summary>Takes the deployment's master secret, of 32 bytes or more.</summary>
    public NonceIssuer(ReadOnlySpan<byte> masterSecret, TimeProvider time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(masterSecret.Length, 32);
        _key = HKDF.DeriveKey(HashAlgorithmName.SHA256, masterSecret.ToArray(), 32, info: "fed device nonce v1"u8.ToArray());
        _time = time;
    }

    /// <summary>The nonce of this minute.</summary>
    public string Fresh() => Base64Url.EncodeToString(Write(Bucket()));

    /// <summary>True for a nonce of the last ten minutes.</summary>
    public bool IsFresh(string nonce)
    {
        Span<byte> given = stackalloc byte[NonceBytes];
        if (nonce.Length != Base64Url.GetEncodedLength(NonceBytes)
            || !Base64Url.IsValid(nonce)
            || !Base64Url.TryDecodeFromChars(nonce, given, out var written)
            || written != NonceBytes)
        {
            return false;
        }

        var bucket = BinaryPrimitives.ReadInt64BigEndian(given);
        var age = Bucket() - bucket;
        return age is >= 0 and <= OldBuckets && CryptographicOperations.FixedTimeEquals(given, Write(bucket));
    }

    private long Bucket() => _time.GetUtcNow().ToUnixTimeSeconds() / BucketSeconds;

    private byte[] Write(long bucket)
    {
        var nonce = new byte[NonceBytes];
        BinaryPrimitives.WriteInt64BigEndian(nonce, bucket);
        HMACSHA256.HashData(_key, nonce.AsSpan(0, sizeof(long))).AsSpan(0, MacBytes).CopyTo(nonce.AsSpan(sizeof(long)));
        return nonce;
    }
}
