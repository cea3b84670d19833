namespace FedServerless.Local.Hosting;

/// <summary>The host cannot start; the message says why and what to do.</summary>
public sealed class HostStartException(string message, Exception? inner = null) : Exception(message, inner);
