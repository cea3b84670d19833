namespace FedServerless.Gateway.Authentication;

/// <summary>
/// There is no secret that the host may rely on, so it answers nobody whom it would have to believe. The message says why and what
/// to do, without names that only operators should know.
/// </summary>
public sealed class SecretsUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
