using Azure;
using Azure.Identity;

namespace FedServerless.Functions.Platform.Secrets;

/// <summary>What failed while the vault was read, in a sentence that says what to do. None has a name that a stranger should not see.</summary>
internal static class VaultFaults
{
    public const string NoSecret =
        $"The vault has no secret '{VaultReader.SecretName}', or it was deleted. Recover it (az keyvault secret recover), or make one: fed secrets rotate --vault URL.";

    private const string Role = "Key Vault Secrets User";

    /// <summary>The sentence of a failure.</summary>
    public static string Explain(Exception exception) => exception switch
    {
        VaultException ours => ours.Message,
        CredentialUnavailableException => "The host has no managed identity to read the vault with. Assign it one, and name it in Fed__IdentityClientId.",
        AuthenticationFailedException => "The host's identity got no token for the vault. Check that Fed__IdentityClientId is the client id of an identity that the host has.",
        RequestFailedException { Status: 401 } => "The vault did not accept the identity's token. Check that the vault belongs to the same tenant as the host's identity.",
        RequestFailedException { Status: 403 } refused when Says(refused, "ForbiddenByFirewall", "is not authorized and caller is not a trusted service") =>
            "The vault's firewall refuses the host. Allow its network, or the private endpoint it comes from.",
        RequestFailedException { Status: 403 } refused when Says(refused, "SecretDisabled", "is not allowed on a disabled secret") =>
            $"A version of the vault's secret '{VaultReader.SecretName}' was disabled while it was read; it is left out the next time.",
        RequestFailedException { Status: 403 } => $"The host's identity may not read the vault's secret '{VaultReader.SecretName}'. Give it the role {Role} on the vault; a new role takes up to ten minutes.",
        RequestFailedException { Status: 404 } => NoSecret,
        RequestFailedException { Status: 429 } => "The vault throttles the host and went on doing so. It is asked again later.",
        RequestFailedException { Status: 0 } or AggregateException or OperationCanceledException or HttpRequestException =>
            "The vault does not answer. Check Fed__VaultUri and the network; it is asked again soon.",
        RequestFailedException failed => $"The vault answered with status {failed.Status}. It is asked again soon.",
        _ => "The vault could not be read; the host's log has the reason. It is asked again soon.",
    };

    private static bool Says(RequestFailedException exception, params ReadOnlySpan<string> texts)
    {
        foreach (var text in texts)
        {
            if (exception.ErrorCode == text || exception.Message.Contains(text, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
