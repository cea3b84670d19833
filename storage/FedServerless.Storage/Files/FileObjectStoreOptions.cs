using FedServerless.Storage.Presigned;

namespace FedServerless.Storage.Files;

/// <summary>How a <see cref="FileObjectStore"/> is set up.</summary>
public sealed record FileObjectStoreOptions
{
    /// <summary>The folder of the objects; created when absent. Nothing else may write there.</summary>
    public required string Root { get; init; }

    /// <summary>Signs URLs for the objects; without it the store signs none.</summary>
    public PresignedUrlSigner? Signer { get; init; }

    /// <summary>The clock of the write stamps. Default: the system's.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>
    /// Whether a put or delete waits until the disk has it. Default true, which is what the port promises; false is for
    /// stores whose loss in a power cut costs nothing, such as a test's. A killed process loses nothing either way.
    /// </summary>
    public bool FlushToDisk { get; init; } = true;
}
