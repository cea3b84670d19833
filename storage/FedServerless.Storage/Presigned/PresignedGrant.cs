namespace FedServerless.Storage.Presigned;

/// <summary>What a pre-signed URL allows, proven by its signature.</summary>
/// <param name="Method">GET (which includes HEAD) or PUT.</param>
/// <param name="Name">The one object.</param>
/// <param name="Length">For PUT the exact number of bytes, else null.</param>
/// <param name="Expires">The first second at which it is no longer valid.</param>
public sealed record PresignedGrant(string Method, string Name, long? Length, DateTimeOffset Expires);
