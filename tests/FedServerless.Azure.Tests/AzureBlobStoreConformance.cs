using FedServerless.Storage;
using FedServerless.Storage.Azure;
using FedServerless.Testing.Storage;

namespace FedServerless.Azure.Tests;

/// <summary>The suite on Azurite with the account key.</summary>
public sealed class AzureBlobStoreConformance(AzuriteFixture azurite) : ObjectStoreConformanceTests
{
    private AzureBlobStoreOptions _options = null!;

    protected override int LongListing => 120;

    protected override int LargeLength => 9_000_001;

    protected override bool HoldsUploadsToTheirLength => false;

    protected override async Task<IObjectStore> CreateAsync() => await azurite.NewStoreAsync(
        Token,
        options => _options = options with { ListPageSize = 50, BlockLength = 4 * 1024 * 1024 });

    protected override Task<Uri> OriginAsync() => throw new InvalidOperationException("Azure's URLs are absolute.");

    protected override async Task<PresignedRequest> PresignExpiredGetAsync(string name)
    {
        using var past = await AzureBlobStore.OpenAsync(_options with { Time = new StoppedClock(DateTimeOffset.UtcNow.AddHours(-2)) }, Token);
        return await past.PresignGetAsync(name, TimeSpan.FromHours(1), Token);
    }

    protected override ValueTask DisposeStoreAsync()
    {
        (Store as IDisposable)?.Dispose();
        return ValueTask.CompletedTask;
    }
}
