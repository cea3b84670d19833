using Azure;
using Azure.Identity;

namespace FedServerless.Functions.Platform.Store;

/// <summary>What fails between the host and the account of its objects, in a sentence that says what to do. None names the account.</summary>
internal static class StoreFaults
{
    /// <summary>The sentence of a failure that has nothing to do with what was asked for; null for any other.</summary>
    public static string? Explain(Exception exception) => exception switch
    {
        CredentialUnavailableException => "The host has no managed identity to reach the store with. Assign it one, and name it in Fed__IdentityClientId.",
        AuthenticationFailedException => "The host's identity got no token for the store. Check that Fed__IdentityClientId is the client id of an identity that the host has.",
        RequestFailedException { ErrorCode: "AuthorizationPermissionMismatch" or "InsufficientAccountPermissions" } =>
            "The host's identity lacks rights on the store. Give it Storage Blob Data Contributor and Storage Blob Delegator on the data account; a new role takes up to ten minutes.",
        RequestFailedException { ErrorCode: "AuthorizationFailure" } =>
            "The data account's network rules refuse the host. Allow its network, or the private endpoint it comes from.",
        RequestFailedException { ErrorCode: "KeyBasedAuthenticationNotPermitted" } =>
            "The data account does not take keys. Set Fed__StorageUri instead of Fed__StorageConnection.",
        RequestFailedException { ErrorCode: "AuthenticationFailed" or "InvalidAuthenticationInfo" or "NoAuthenticationInformation" } or RequestFailedException { Status: 401 } =>
            "The data account did not accept the host's identity. Check that both belong to one tenant, and that the host's clock is right.",
        RequestFailedException { ErrorCode: "ContainerNotFound" } => "The store's container does not exist. Create it, or check Fed__StorageContainer.",
        RequestFailedException { ErrorCode: "ContainerBeingDeleted" } => "The store's container is being deleted.",
        RequestFailedException { ErrorCode: "AccountIsDisabled" } => "The data account is disabled.",
        RequestFailedException { ErrorCode: "ServerBusy" or "OperationTimedOut" } or RequestFailedException { Status: 503 } =>
            "The data account throttles the host and went on doing so.",
        RequestFailedException { Status: 403 } => "The data account refuses the host. Check the identity's roles and the account's network rules.",
        RequestFailedException { Status: 0 } => Silent,
        AggregateException retried when retried.InnerExceptions.All(inner => inner is RequestFailedException { Status: 0 } or OperationCanceledException) => Silent,
        _ => null,
    };

    private const string Silent = "The store does not answer. Check Fed__StorageUri and the network.";
}
