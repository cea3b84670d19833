using System.Web;
using Azure;
using Azure.Core;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using FedServerless.Storage;
using FedServerless.Storage.Azure;
using FedServerless.Testing.Storage;

namespace FedServerless.Azure.Tests;

public sealed class AzureBlobStoreTests(AzuriteFixture azurite, SecureAzuriteFixture secure)
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 10, 0, 0, TimeSpan.Zero);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PresignGet_AccountKey_GrantsReadingOneBlobForTheTimeAsked()
    {
        using var store = await azurite.NewStoreAsync(Token, options => options with { Time = new StoppedClock(Now) });

        var query = HttpUtility.ParseQueryString(new Uri((await store.PresignGetAsync("a/b", TimeSpan.FromMinutes(20), Token)).Url).Query);

        Assert.Equal(("r", "b"), (query["sp"], query["sr"]));
        Assert.Equal(("2026-11-22T09:45:00Z", "2026-11-22T10:20:00Z"), (query["st"], query["se"]));
    }

    [Fact]
    public async Task PresignCreate_UserDelegation_GrantsCreatingOneBlobOverHttpsOnly()
    {
        using var store = await AzureBlobStore.OpenAsync(await secure.NewOptionsAsync(Token), Token);

        var request = await store.PresignCreateAsync("a/b", 10, TimeSpan.FromMinutes(20), Token);

        var query = HttpUtility.ParseQueryString(new Uri(request.Url).Query);
        Assert.Equal(("c", "b", "https"), (query["sp"], query["sr"], query["spr"]));
        Assert.NotNull(query["skoid"]);
        Assert.Equal(["x-ms-blob-type"], request.Headers.Keys);
    }

    [Fact]
    public async Task Presign_UserDelegation_FetchesAKeyEverySixHours()
    {
        var clock = new MovingClock(DateTimeOffset.UtcNow);
        var keys = new CountingPolicy(request => request.Uri.Query.Contains("comp=userdelegationkey", StringComparison.Ordinal));
        var options = await secure.NewOptionsAsync(Token);
        using var store = await AzureBlobStore.OpenAsync(options with { Time = clock, ConfigureClient = Counted }, Token);

        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => store.PresignGetAsync($"a/{i}", TimeSpan.FromHours(24), Token)));
        clock.Now += TimeSpan.FromHours(6) - TimeSpan.FromSeconds(1);
        await store.PresignGetAsync("a", TimeSpan.FromHours(24), Token);
        var before = keys.Count;
        clock.Now += TimeSpan.FromSeconds(1);
        await store.PresignGetAsync("a", TimeSpan.FromHours(24), Token);

        Assert.Equal((1, 2), (before, keys.Count));

        void Counted(BlobClientOptions client)
        {
            options.ConfigureClient!(client);
            client.AddPolicy(keys, HttpPipelinePosition.PerCall);
        }
    }

    [Fact]
    public async Task EveryMethod_ContainerMissing_ThrowsInsteadOfFindingNothing()
    {
        using var store = await azurite.NewStoreAsync(Token, options => options with { CreateContainer = false });

        await Assert.ThrowsAsync<RequestFailedException>(() => store.HeadAsync("a", Token));
        await Assert.ThrowsAsync<RequestFailedException>(() => store.ReadAsync("a", 0, new byte[1], Token));
        await Assert.ThrowsAsync<RequestFailedException>(() => store.OpenAsync("a", 0, Token));
        await Assert.ThrowsAsync<RequestFailedException>(() => store.PutAsync("a", Stream.Null, 0, PutCondition.CreateOnce, Token));
    }

    [Theory]
    [InlineData(8 * 64 * 1024)]
    [InlineData(8 * 64 * 1024 + 1)]
    [InlineData(64 * 1024)]
    [InlineData(64 * 1024 + 1)]
    public async Task Put_LengthAtABlockBoundary_KeepsEveryByte(int length)
    {
        using var store = await azurite.NewStoreAsync(Token, options => options with { BlockLength = 64 * 1024 });

        await store.PutAsync("a", new PatternStream(length), length, PutCondition.CreateOnce, Token);

        var bytes = new byte[length];
        await store.ReadAsync("a", 0, bytes, Token);
        Assert.Equal(PatternStream.Bytes(length), bytes);
    }

    [Fact]
    public async Task Sdk_UploadWithCrc64_FindsTheHashingAssemblyAtRunTime()
    {
        // ADR 0002: System.IO.Hashing comes from the .NET SDK's folder, and this is the code of the storage SDK that needs it.
        // Azurite refuses the header that it makes; that the header was made is the point.
        var hashed = new CountingPolicy(request => request.Headers.Contains("x-ms-content-crc64"));
        var client = new BlobClientOptions();
        client.Retry.MaxRetries = 0;
        client.AddPolicy(hashed, HttpPipelinePosition.PerCall);
        var container = new BlobContainerClient((await azurite.StartedAsync(Token)).ConnectionString, azurite.NewContainer(), client);
        await container.CreateAsync(cancellationToken: Token);
        var validation = new UploadTransferValidationOptions { ChecksumAlgorithm = StorageChecksumAlgorithm.StorageCrc64 };

        var refused = await Record.ExceptionAsync(() =>
            container.GetBlobClient("a").UploadAsync(new MemoryStream([1, 2, 3]), new BlobUploadOptions { TransferValidation = validation }, Token));

        Assert.True(refused is null or RequestFailedException, refused?.ToString());
        Assert.Equal(1, hashed.Count);
    }

    [Fact]
    public async Task Open_OptionsThatContradictThemselves_AreRefused()
    {
        var good = new AzureBlobStoreOptions { Container = "c", ConnectionString = "UseDevelopmentStorage=true", CreateContainer = false };
        AzureBlobStoreOptions[] bad =
        [
            good with { ConnectionString = null },
            good with { ServiceUri = new Uri("https://account.blob.core.windows.net") },
            good with { ConnectionString = null, ServiceUri = new Uri("https://account.blob.core.windows.net") },
            good with { Container = " " },
            good with { BlockLength = (64 * 1024) - 1 },
            good with { BlockLength = (100 * 1024 * 1024) + 1 },
            good with { ListPageSize = 0 },
            good with { ListPageSize = 5001 },
        ];
        foreach (var options in bad)
        {
            await Assert.ThrowsAnyAsync<ArgumentException>(() => AzureBlobStore.OpenAsync(options, Token));
        }

        using var store = await AzureBlobStore.OpenAsync(good with { BlockLength = 64 * 1024, ListPageSize = 1 }, Token);
        Assert.NotNull(store);
    }

    [Fact]
    public async Task Restart_AfterAWrite_KeepsIt()
    {
        await using var own = new AzuriteFixture();
        using var store = await own.NewStoreAsync(Token);
        await store.PutAsync("a", new MemoryStream([1, 2, 3]), 3, PutCondition.CreateOnce, Token);

        await own.StopAsync();
        await own.RestartAsync(Token);

        var bytes = new byte[3];
        await store.ReadAsync("a", 0, bytes, Token);
        Assert.Equal([1, 2, 3], bytes);
    }

    private sealed class MovingClock(DateTimeOffset now) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
