using System.Runtime.CompilerServices;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Azure.Storage.Sas;
using FedServerless.Storage.Presigned;

namespace FedServerless.Storage.Azure;

/// <summary>
/// <see cref="IObjectStore"/> over one container of Azure Blob Storage or Azurite. Transient failures are retried by the SDK;
/// a create or swap whose answer was lost is recognised as our own by an id in the blob's metadata and reported as written.
/// </summary>
public sealed class AzureBlobStore : IObjectStore, IDisposable
{
    private const int MinBlockLength = 64 * 1024;
    private const int MaxBlockLength = 100 * 1024 * 1024;
    private const int MaxListPageSize = 5_000;

    /// <summary>How far signed URLs reach into the past, because clocks differ: what Azure's guidance asks for.</summary>
    internal static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(15);

    private static readonly Dictionary<string, string> PutHeaders = new() { ["x-ms-blob-type"] = "BlockBlob" };

    private readonly BlobContainerClient _container;
    private readonly DelegationKeys? _delegationKeys;
    private readonly AzureBlobStoreOptions _options;

    private AzureBlobStore(AzureBlobStoreOptions options)
    {
        _options = options;
        var clientOptions = new BlobClientOptions();
        options.ConfigureClient?.Invoke(clientOptions);
        var service = options.ConnectionString is { } connection
            ? new BlobServiceClient(connection, clientOptions)
            : new BlobServiceClient(options.ServiceUri, options.Credential, clientOptions);
        _container = service.GetBlobContainerClient(options.Container);
        _delegationKeys = options.ConnectionString is null ? new DelegationKeys(service, options.Time) : null;
    }

    /// <summary>Connects, and creates the container if it is absent and the options say so.</summary>
    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    public static async Task<AzureBlobStore> OpenAsync(AzureBlobStoreOptions options, CancellationToken cancellationToken)
    {
        var store = Create(options);
        if (options.CreateContainer)
        {
            await store.CreateContainerAsync(cancellationToken);
        }

        return store;
    }

    /// <summary>The store, without a request to the account: it must have the container, or get it by <see cref="CreateContainerAsync"/>.</summary>
    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    public static AzureBlobStore Create(AzureBlobStoreOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Validate(options);
        return new AzureBlobStore(options);
    }

    /// <summary>Creates the container unless it is there.</summary>
    public Task CreateContainerAsync(CancellationToken cancellationToken) =>
        _container.CreateIfNotExistsAsync(cancellationToken: cancellationToken);

    /// <inheritdoc/>
    public async Task<ObjectFacts?> HeadAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        return await TryGetPropertiesAsync(Blob(name), cancellationToken) is { } there ? BlobFacts.From(name, there) : null;
    }

    /// <inheritdoc/>
    public async Task<ObjectFacts?> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (destination.IsEmpty)
        {
            // HTTP has no empty range.
            return ThrowIfBeyond(await HeadAsync(name, cancellationToken), offset, 0);
        }

        await using var content = await DownloadAsync(name, new HttpRange(offset, destination.Length), cancellationToken);
        if (content is null)
        {
            return null;
        }

        ThrowIfBeyond(content.Facts, offset, destination.Length);
        await content.Stream.ReadExactlyAsync(destination, cancellationToken);
        return content.Facts;
    }

    /// <inheritdoc/>
    public async Task<ObjectContent?> OpenAsync(string name, long offset, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        var content = await DownloadAsync(name, offset == 0 ? default : new HttpRange(offset), cancellationToken);
        ThrowIfBeyond(content?.Facts, offset, 0);
        return content;
    }

    /// <inheritdoc/>
    public async Task<PutResult> PutAsync(string name, Stream content, long length, PutCondition condition, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        ArgumentNullException.ThrowIfNull(content);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return await new BlobWriter(Blob(name), _options.BlockLength).WriteAsync(content, length, condition, cancellationToken);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectFacts> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalidPrefix(prefix);
        var previous = "";
        var pages = _container.GetBlobsAsync(prefix: prefix, cancellationToken: cancellationToken).AsPages(pageSizeHint: _options.ListPageSize);
        await foreach (var page in pages)
        {
            foreach (var item in page.Values)
            {
                // Seals and folds lean on the order; an account with a hierarchical namespace has another.
                if (string.CompareOrdinal(previous, item.Name) >= 0)
                {
                    throw new InvalidOperationException($"The account lists '{item.Name}' after '{previous}', not in ordinal order. Use an account without a hierarchical namespace.");
                }

                previous = item.Name;
                yield return BlobFacts.From(item);
            }
        }
    }

    /// <inheritdoc/>
    public async Task<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        return await Blob(name).DeleteIfExistsAsync(DeleteSnapshotsOption.IncludeSnapshots, cancellationToken: cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<PresignedRequest> PresignGetAsync(string name, TimeSpan validFor, CancellationToken cancellationToken) =>
        new("GET", await SignAsync(name, BlobSasPermissions.Read, validFor, cancellationToken), new Dictionary<string, string>());

    /// <inheritdoc/>
    public async Task<PresignedRequest> PresignCreateAsync(string name, long length, TimeSpan validFor, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);

        // Create, not write: on what exists Azure answers 403, and so nobody overwrites.
        return new PresignedRequest("PUT", await SignAsync(name, BlobSasPermissions.Create, validFor, cancellationToken), PutHeaders);
    }

    /// <inheritdoc/>
    public void Dispose() => _delegationKeys?.Dispose();

    /// <summary>A blob's properties, or null when there is no such blob. A container that is missing is an error, not an absence.</summary>
    internal static async Task<BlobProperties?> TryGetPropertiesAsync(BlockBlobClient blob, CancellationToken cancellationToken)
    {
        try
        {
            return await blob.GetPropertiesAsync(cancellationToken: cancellationToken);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            return null;
        }
    }

    private static void Validate(AzureBlobStoreOptions options)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(options.Container);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BlockLength, MinBlockLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.BlockLength, MaxBlockLength);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.ListPageSize, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.ListPageSize, MaxListPageSize);
        var byIdentity = options.ServiceUri is not null && options.Credential is not null;
        var mixed = options.ConnectionString is not null && (options.ServiceUri is not null || options.Credential is not null);
        if (mixed || (options.ConnectionString is null && !byIdentity))
        {
            throw new ArgumentException("Set either ServiceUri and Credential, or ConnectionString.", nameof(options));
        }
    }

    private BlockBlobClient Blob(string name) => _container.GetBlockBlobClient(name);

    private async Task<ObjectContent?> DownloadAsync(string name, HttpRange range, CancellationToken cancellationToken)
    {
        try
        {
            var download = await Blob(name).DownloadStreamingAsync(new BlobDownloadOptions { Range = range }, cancellationToken);
            return new ObjectContent(BlobFacts.From(name, download.Value.Details), download.Value.Content);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            return null;
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.InvalidRange)
        {
            // The range starts at or beyond the end: nothing to stream, but perhaps nothing wrong.
            return ThrowIfBeyond(await HeadAsync(name, cancellationToken), range.Offset, range.Length ?? 0) is { } facts
                ? new ObjectContent(facts, Stream.Null)
                : null;
        }
    }

    private static ObjectFacts? ThrowIfBeyond(ObjectFacts? facts, long offset, long count) =>
        facts is not null && offset > facts.Length - count
            ? throw new ObjectRangeException(facts.Name, facts.Length, checked(offset + count))
            : facts;

    private async Task<string> SignAsync(string name, BlobSasPermissions permissions, TimeSpan validFor, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        PresignLimits.ThrowIfOutOfRange(validFor);
        var blob = Blob(name);
        var now = _options.Time.GetUtcNow();
        var sas = new BlobSasBuilder(permissions, now + validFor)
        {
            BlobContainerName = _container.Name,
            BlobName = name,
            Resource = "b",
            StartsOn = now - ClockSkew,
            Protocol = blob.Uri.Scheme == Uri.UriSchemeHttps ? SasProtocol.Https : SasProtocol.HttpsAndHttp,
        };
        if (_delegationKeys is null)
        {
            return blob.GenerateSasUri(sas).AbsoluteUri;
        }

        var key = await _delegationKeys.GetAsync(cancellationToken);
        return new BlobUriBuilder(blob.Uri) { Sas = sas.ToSasQueryParameters(key, _container.AccountName) }.ToUri().AbsoluteUri;
    }
}
