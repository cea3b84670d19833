namespace FedServerless.Storage.Azure.Azurite;

/// <summary>Azurite cannot run on this machine; the message says what to install. Tests skip on this, and on nothing else.</summary>
public sealed class AzuriteUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
