namespace FedServerless.Storage;

/// <summary>The content of a put was not what its sender said: another length, another hash. Nothing was written.</summary>
public sealed class ContentMismatchException(string message) : IOException(message);
