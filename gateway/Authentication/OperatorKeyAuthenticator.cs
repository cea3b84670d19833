using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Authentication;

/// <summary><c>Authorization: Bearer KEY</c> with one generated key, compared in constant time.</summary>
public sealed class OperatorKeyAuthenticator : IOperatorAuthenticator
{
    /// <summary>Fewest characters of a key: 32 random bytes in base64url have 43.</summary>
    public const int MinKeyLength = 43;

    private const string Scheme = "Bearer ";

    private static readonly OperatorCaller Holder = new(OperatorCaller.KeyHolder, "holder of the operator's key", OperatorRoles.Operator);

    private readonly byte[] _hash;

    /// <summary>Takes the key.</summary>
    /// <exception cref="ArgumentException">It has fewer than <see cref="MinKeyLength"/> characters.</exception>
    public OperatorKeyAuthenticator(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (key.Length < MinKeyLength)
        {
            throw new ArgumentException($"An operator key has at least {MinKeyLength} characters.", nameof(key));
        }

        _hash = SHA256.HashData(Encoding.UTF8.GetBytes(key));
    }

    /// <inheritdoc/>
    public Task<OperatorCaller?> AuthenticateAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var headers = context.Request.Headers.Authorization;
        if (headers.Count != 1 || headers[0] is not { } header || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return Task.FromResult<OperatorCaller?>(null);
        }

        // Hashes have one length whatever was sent, so that the comparison tells nothing, not even the key's length.
        var given = SHA256.HashData(Encoding.UTF8.GetBytes(header[Scheme.Length..]));
        return Task.FromResult(CryptographicOperations.FixedTimeEquals(given, _hash) ? Holder : null);
    }
}
