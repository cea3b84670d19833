using Azure.Core;
using Azure.Storage.Blobs;

namespace FedServerless.Storage.Azure;

/// <summary>
/// How an <see cref="AzureBlobStore"/> connects: either <see cref="ServiceUri"/> with <see cref="Credential"/> (Azure; URLs are
/// signed with a user delegation key), or <see cref="ConnectionString"/> with an account key (Azurite).
/// </summary>
public sealed record AzureBlobStoreOptions
{
    /// <summary>The container of all objects.</summary>
    public required string Container { get; init; }

    /// <summary>The account's blob endpoint, such as <c>https://account.blob.core.windows.net</c>. HTTPS only.</summary>
    public Uri? ServiceUri { get; init; }

    /// <summary>An identity with Storage Blob Data Contributor on the container and Storage Blob Delegator on the account.</summary>
    public TokenCredential? Credential { get; init; }

    /// <summary>A connection string with an account key.</summary>
    public string? ConnectionString { get; init; }

    /// <summary>Whether to create the container at start when it is absent. Default true.</summary>
    public bool CreateContainer { get; init; } = true;

    /// <summary>
    /// The size of a block in bytes: what fits one is put in one request, what does not in several of this size, two of which
    /// are held in memory. 64 KiB to 100 MiB; default 8 MiB (Azure's fast path starts above 4 MiB).
    /// </summary>
    public int BlockLength { get; init; } = 8 * 1024 * 1024;

    /// <summary>Names asked for in one page of a listing: 1 to 5000, the default and Azure's limit.</summary>
    public int ListPageSize { get; init; } = 5_000;

    /// <summary>The clock of the signed URLs. Default: the system's.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Adjusts the client before it is made: retries, transport, diagnostics. Default: nothing.</summary>
    public Action<BlobClientOptions>? ConfigureClient { get; init; }
}
