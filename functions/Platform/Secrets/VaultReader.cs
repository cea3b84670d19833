using System.Buffers.Text;
using Azure;
using Azure.Security.KeyVault.Secrets;
using FedServerless.Gateway.Authentication;

namespace FedServerless.Functions.Platform.Secrets;

/// <summary>
/// Reads the ring from Key Vault: the two newest usable versions of one secret, each version's name being its <c>kid</c>. A version
/// never changes, so one that was read is not asked for again.
/// </summary>
internal sealed class VaultReader(SecretClient client, TimeProvider time)
{
    /// <summary>Name of the secret.</summary>
    public const string SecretName = "fed-master";

    /// <summary>Versions that are active at once.</summary>
    public const int Active = 2;

    private Dictionary<string, MasterSecret> _read = [];

    /// <summary>The ring as the vault has it now. Not for two callers at once.</summary>
    /// <exception cref="VaultException">There is no usable version, or the newest is not a secret of ours.</exception>
    /// <exception cref="RequestFailedException">The vault refused or did not answer.</exception>
    public async Task<SecretRing> ReadAsync(CancellationToken cancellationToken)
    {
        var versions = await ListAsync(cancellationToken);
        var read = new Dictionary<string, MasterSecret>(StringComparer.Ordinal);
        var ring = new List<MasterSecret>();
        foreach (var version in versions)
        {
            var secret = _read.GetValueOrDefault(version) ?? Parse(version, await client.GetSecretAsync(SecretName, version, cancellationToken));
            read[version] = secret;
            ring.Add(secret);
        }

        _read = read;
        return new SecretRing(ring[0], ring.ElementAtOrDefault(1));
    }

    // Names only; the vault lists them in no useful order, and tells the second of a version's making. Two of one second are told
    // apart by name, so that every host takes the same for the newest.
    private async Task<List<string>> ListAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var usable = new List<SecretProperties>();
        var all = 0;
        await foreach (var version in client.GetPropertiesOfSecretVersionsAsync(SecretName, cancellationToken))
        {
            all++;
            if (version.Enabled == true && !(version.NotBefore > now) && !(version.ExpiresOn <= now))
            {
                usable.Add(version);
            }
        }

        if (usable.Count == 0)
        {
            throw new VaultException(all == 0
                ? VaultFaults.NoSecret
                : $"All {all} versions of the vault's secret '{SecretName}' are disabled, expired or not valid yet. Enable one, or make a new one: fed secrets rotate --vault URL.");
        }

        return usable
            .OrderByDescending(version => version.CreatedOn)
            .ThenByDescending(version => version.Version, StringComparer.Ordinal)
            .Select(version => version.Version)
            .Take(Active)
            .ToList();
    }

    private static MasterSecret Parse(string version, KeyVaultSecret secret)
    {
        var text = secret.Value.Trim();
        return Base64Url.IsValid(text) && Base64Url.DecodeFromChars(text) is { Length: >= MasterSecret.MinBytes } bytes
            ? new MasterSecret(version, bytes)
            : throw new VaultException($"Version {version} of the vault's secret '{SecretName}' is not {MasterSecret.MinBytes} bytes or more in base64url. Disable it, and make a new one: fed secrets rotate --vault URL.");
    }
}

/// <summary>The vault answered, and what it has cannot be used; the message says what to do.</summary>
internal sealed class VaultException(string message) : Exception(message);
