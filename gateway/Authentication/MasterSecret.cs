using System.Security.Cryptography;
using System.Text;

namespace FedServerless.Gateway.Authentication;

/// <summary>A deployment's master secret of one generation. It signs nothing itself: each purpose has a key derived from it.</summary>
public sealed class MasterSecret
{
    /// <summary>Fewest and usual bytes of a secret.</summary>
    public const int MinBytes = 32;

    private const int DerivedBytes = 32;

    private readonly byte[] _secret;

    /// <summary>Takes the secret's bytes.</summary>
    /// <param name="kid">What tells this generation from others: a Key Vault version, or a digest locally. Not secret.</param>
    /// <param name="secret">Random bytes.</param>
    /// <exception cref="ArgumentException">Fewer than <see cref="MinBytes"/> bytes, or no name.</exception>
    public MasterSecret(string kid, ReadOnlySpan<byte> secret)
    {
        ArgumentException.ThrowIfNullOrEmpty(kid);
        if (secret.Length < MinBytes)
        {
            throw new ArgumentException($"A master secret has at least {MinBytes} bytes.", nameof(secret));
        }

        Kid = kid;
        _secret = secret.ToArray();
    }

    /// <summary>The name of this generation.</summary>
    public string Kid { get; }

    /// <summary>32 bytes for one purpose (HKDF-SHA256, RFC 5869, the purpose as info); they tell nothing of the secret or of another purpose.</summary>
    public byte[] Derive(string purpose) => Derive(purpose, DerivedBytes);

    /// <summary>Any number of bytes for one purpose.</summary>
    internal byte[] Derive(string purpose, int bytes) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _secret, bytes, info: Encoding.UTF8.GetBytes(purpose));
}
