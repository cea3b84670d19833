using System.Buffers.Text;
using System.Security.Cryptography;
using Azure;
using Azure.Identity;
using Azure.Security.KeyVault.Secrets;

namespace FedServerless.Cli.Secrets;

/// <summary>Makes new versions of the vault's master secret. The host only ever reads it.</summary>
internal sealed class VaultRotation(SecretClient client, TimeProvider time)
{
    /// <summary>Name of the secret, as the host knows it.</summary>
    public const string SecretName = "fed-master";

    private const int SecretBytes = 32;

    private static readonly TimeSpan TryEvery = TimeSpan.FromSeconds(15);

    /// <summary>Makes a version.</summary>
    /// <param name="ifMissing">Make none if there is one that can be used.</param>
    /// <param name="wait">How long to go on while the vault refuses (403).</param>
    /// <param name="onRefused">Told each time it did and is tried again.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The version's name; null when none was made.</returns>
    /// <exception cref="CommandException">It cannot; the message says what to do.</exception>
    public async Task<string?> RotateAsync(bool ifMissing, TimeSpan wait, Action onRefused, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (true)
        {
            try
            {
                return ifMissing && await HasUsableAsync(cancellationToken) ? null : await MakeAsync(cancellationToken);
            }
            catch (RequestFailedException refused) when (refused.Status == 403 && time.GetElapsedTime(start) + TryEvery <= wait)
            {
                onRefused();
            }
            catch (Exception exception) when (Explain(exception) is { } sentence)
            {
                throw new CommandException(sentence);
            }

            await Task.Delay(TryEvery, time, cancellationToken);
        }
    }

    private async Task<bool> HasUsableAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        try
        {
            await foreach (var version in client.GetPropertiesOfSecretVersionsAsync(SecretName, cancellationToken))
            {
                if (version.Enabled == true && !(version.NotBefore > now) && !(version.ExpiresOn <= now))
                {
                    return true;
                }
            }
        }
        catch (RequestFailedException missing) when (missing.Status == 404)
        {
            // That is what this command is for.
        }

        return false;
    }

    private async Task<string> MakeAsync(CancellationToken cancellationToken)
    {
        var secret = new KeyVaultSecret(SecretName, Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes)))
        {
            Properties = { ContentType = $"{SecretBytes} random bytes, base64url" },
        };
        return (await client.SetSecretAsync(secret, cancellationToken)).Value.Properties.Version;
    }

    private static string? Explain(Exception exception) => exception switch
    {
        CredentialUnavailableException or AuthenticationFailedException =>
            "Nobody is signed in, or the sign-in has ended. Run azd auth login or az login.",
        RequestFailedException { Status: 403 } =>
            "The vault refuses: whoever is signed in needs the role Key Vault Secrets Officer on it, and the vault's firewall must allow this machine. A new role takes up to ten minutes; see --wait.",
        RequestFailedException { Status: 409 } =>
            $"'{SecretName}' was deleted and can be recovered, and until then no other can be made. Run az keyvault secret recover --name {SecretName} --vault-name NAME, then this again.",
        RequestFailedException { Status: 0 } or AggregateException => "The vault does not answer. Check its address and the network.",
        RequestFailedException failed => $"The vault answered with status {failed.Status}: {failed.ErrorCode}.",
        _ => null,
    };
}
