using FedServerless.Storage;
using FedServerless.Storage.Azure;
using FedServerless.Testing.Storage;

namespace FedServerless.Azure.Tests;

/// <summary>The suite on Azurite as it runs on Azure: over HTTPS, with an identity, URLs signed with a user delegation key.</summary>
public sealed class UserDelegationConformance(SecureAzuriteFixture azurite) : ObjectStoreConformanceTests
{
    private AzureBlobStoreOptions _options = null!;
    private HttpClient? _http;

    protected override int LongListing => 120;

    protected override int LargeLength => 200_003;

    protected override bool HoldsUploadsToTheirLength => false;

    protected override HttpClient Http => _http ??= azurite.NewClient();

    protected override async Task<IObjectStore> CreateAsync()
    {
        _options = await azurite.NewOptionsAsync(Token) with { ListPageSize = 50, BlockLength = 64 * 1024 };
        return await AzureBlobStore.OpenAsync(_options, Token);
    }

    protected override Task<Uri> OriginAsync() => throw new InvalidOperationException("Azure's URLs are absolute.");

    protected override async Task<PresignedRequest> PresignExpiredGetAsync(string name)
    {
        using var past = await AzureBlobStore.OpenAsync(_options with { Time = new StoppedClock(DateTimeOffset.UtcNow.AddHours(-2)) }, Token);
        return await past.PresignGetAsync(name, TimeSpan.FromHours(1), Token);
    }

    protected override ValueTask DisposeStoreAsync()
    {
        _http?.Dispose();
        (Store as IDisposable)?.Dispose();
        return ValueTask.CompletedTask;
    }
}
