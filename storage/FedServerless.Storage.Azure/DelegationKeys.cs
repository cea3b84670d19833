using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using FedServerless.Storage.Presigned;

namespace FedServerless.Storage.Azure;

/// <summary>
/// Keeps one user delegation key, so that signing a URL is local arithmetic. A key is fetched anew every six hours and always
/// outlives the longest URL.
/// </summary>
internal sealed class DelegationKeys(BlobServiceClient service, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan RefreshEvery = TimeSpan.FromHours(6);
    private static readonly TimeSpan Lifetime = RefreshEvery + PresignLimits.MaxValidFor + TimeSpan.FromMinutes(15);

    private readonly SemaphoreSlim _fetching = new(1, 1);
    private volatile Cached? _cached;

    internal async Task<UserDelegationKey> GetAsync(CancellationToken cancellationToken)
    {
        if (Fresh() is { } cached)
        {
            return cached;
        }

        await _fetching.WaitAsync(cancellationToken);
        try
        {
            if (Fresh() is { } fetchedMeanwhile)
            {
                return fetchedMeanwhile;
            }

            // Valid from the past, as the URLs are: clocks differ.
            var now = time.GetUtcNow();
            var key = await service.GetUserDelegationKeyAsync(now - AzureBlobStore.ClockSkew, now + Lifetime, cancellationToken);
            _cached = new Cached(key.Value, now + RefreshEvery);
            return key.Value;
        }
        finally
        {
            _fetching.Release();
        }
    }

    public void Dispose() => _fetching.Dispose();

    private UserDelegationKey? Fresh() => _cached is { } cached && time.GetUtcNow() < cached.RefreshAt ? cached.Key : null;

    private sealed record Cached(UserDelegationKey Key, DateTimeOffset RefreshAt);
}
