namespace FedServerless.Storage.Azure.Azurite;

/// <summary>Azurite is installed and did not come up; the message has what it wrote.</summary>
public sealed class AzuriteStartException(string message) : Exception(message);
