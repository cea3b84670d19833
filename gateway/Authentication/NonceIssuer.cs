using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;

namespace FedServerless.Gateway.Authentication;

/// <summary>
/// Nonces without state: the number of a one-minute bucket, a tag of the secret's generation, and the HMAC-SHA256 of both, cut to 16
/// bytes, under a key that all hosts of a deployment share.
/// </summary>
public sealed class NonceIssuer(IServerSecrets secrets, TimeProvider time)
{
    /// <summary>Seconds in a bucket.</summary>
    public const int BucketSeconds = 60;

    /// <summary>Buckets before the present one whose nonces are still good: every nonce lives ten minutes at least, eleven at most.</summary>
    public const int OldBuckets = 10;

    private const string Purpose = "fed device nonce v2";

    private const int TagBytes = 4;

    private const int MacBytes = 16;

    private const int SignedBytes = sizeof(long) + TagBytes;

    private const int NonceBytes = SignedBytes + MacBytes;

    private volatile Keys? _keys;

    /// <summary>The nonce of this minute.</summary>
    /// <exception cref="SecretsUnavailableException">There is no secret to make it with.</exception>
    public string Fresh() => Base64Url.EncodeToString(Write(Active().Current, Bucket()));

    /// <summary>
    /// True for a nonce of the last ten minutes that this deployment made with one of its active secrets. One made with a secret that is
    /// not known here is refused, and the secrets are looked up again: the device repeats its request with a nonce it is given.
    /// </summary>
    /// <exception cref="SecretsUnavailableException">There is no secret to check it with.</exception>
    public bool IsFresh(string nonce)
    {
        var keys = Active();
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
        if (age is < 0 or > OldBuckets)
        {
            return false;
        }

        // The tag is public, so choosing by it tells nothing; the comparison that matters takes one time for any content.
        var tag = given.Slice(sizeof(long), TagBytes);
        var key = tag.SequenceEqual(keys.Current.Tag) ? keys.Current : keys.Previous is { } old && tag.SequenceEqual(old.Tag) ? old : null;
        if (key is null)
        {
            secrets.NoteUnknownKid();
            return false;
        }

        return CryptographicOperations.FixedTimeEquals(given, Write(key, bucket));
    }

    private Keys Active()
    {
        var ring = secrets.Ring;
        var keys = _keys;
        if (keys is null || !ReferenceEquals(keys.Ring, ring))
        {
            keys = _keys = new Keys(ring, new Key(ring.Current), ring.Previous is null ? null : new Key(ring.Previous));
        }

        return keys;
    }

    private long Bucket() => time.GetUtcNow().ToUnixTimeSeconds() / BucketSeconds;

    private static byte[] Write(Key key, long bucket)
    {
        var nonce = new byte[NonceBytes];
        BinaryPrimitives.WriteInt64BigEndian(nonce, bucket);
        key.Tag.CopyTo(nonce.AsSpan(sizeof(long)));
        HMACSHA256.HashData(key.Mac, nonce.AsSpan(0, SignedBytes)).AsSpan(0, MacBytes).CopyTo(nonce.AsSpan(SignedBytes));
        return nonce;
    }

    private sealed record Keys(SecretRing Ring, Key Current, Key? Previous);

    // The tag comes from the secret, not from its name: a version's name in the vault is nobody else's business.
    private sealed class Key(MasterSecret secret)
    {
        public byte[] Mac { get; } = secret.Derive(Purpose);

        public byte[] Tag { get; } = secret.Derive(Purpose + " tag")[..TagBytes];
    }
}
