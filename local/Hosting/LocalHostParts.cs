using FedServerless.Local.Engine.Journal;
using FedServerless.Storage;
using FedServerless.Storage.Presigned;
using Microsoft.Extensions.Logging;

namespace FedServerless.Local.Hosting;

/// <summary>What a test puts in place of a host's own parts; null for the host's own.</summary>
public sealed record LocalHostParts
{
    /// <summary>Makes the store; it is given the signer of the URLs that the host serves. The caller disposes it.</summary>
    public Func<PresignedUrlSigner, IObjectStore>? Store { get; init; }

    /// <summary>The journal; the host disposes it.</summary>
    public IJournal? Journal { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider? Time { get; init; }

    /// <summary>Adds to the host's logging; without it, warnings go to standard error.</summary>
    public Action<ILoggingBuilder>? Logging { get; init; }
}
