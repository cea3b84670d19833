using Azure.Core;
using FedServerless.Storage;
using FedServerless.Storage.Azure;
using FedServerless.Testing.Storage;

namespace FedServerless.Azure.Tests;

/// <summary>The SDK sends a put again when its answer was lost; the store must not mistake its own object for another's.</summary>
public sealed class LostReplyTests(AzuriteFixture azurite)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Put_CreateOnceWhoseReplyIsLost_SaysWritten()
    {
        var drop = new DropReplyPolicy(IsPut);
        using var store = await NewStoreAsync(drop);

        var put = await PutAsync(store, [1], PutCondition.CreateOnce);

        Assert.Equal(2, drop.Seen);
        Assert.Equal(new PutResult(true, (await store.HeadAsync("a", Token))!.ETag), put);
    }

    [Fact]
    public async Task Put_BlocksWhoseCommitReplyIsLost_SaysWritten()
    {
        const int length = 200_000;
        var drop = new DropReplyPolicy(request => IsPut(request) && request.Uri.Query.Contains("comp=blocklist", StringComparison.Ordinal));
        using var store = await NewStoreAsync(drop);

        var put = await store.PutAsync("a", new PatternStream(length), length, PutCondition.CreateOnce, Token);

        var bytes = new byte[length];
        var facts = await store.ReadAsync("a", 0, bytes, Token);
        Assert.Equal(2, drop.Seen);
        Assert.Equal(new PutResult(true, facts!.ETag), put);
        Assert.Equal(PatternStream.Bytes(length), bytes);
    }

    [Fact]
    public async Task Put_IfMatchWhoseReplyIsLost_SaysWritten()
    {
        var drop = new DropReplyPolicy(request => IsPut(request) && request.Headers.Contains("If-Match"));
        using var store = await NewStoreAsync(drop);
        var first = await PutAsync(store, [1], PutCondition.CreateOnce);

        var put = await PutAsync(store, [2], PutCondition.IfMatch(first.ETag!));

        Assert.Equal(2, drop.Seen);
        Assert.Equal(new PutResult(true, (await store.HeadAsync("a", Token))!.ETag), put);
    }

    [Fact]
    public async Task Put_LostReplyOverAnothersObject_SaysNotWritten()
    {
        var drop = new DropReplyPolicy(request => IsPut(request) && request.Headers.TryGetValue("x-ms-meta-fedwrite", out _));
        var options = new AzureBlobStoreOptions { ConnectionString = (await azurite.StartedAsync(Token)).ConnectionString, Container = azurite.NewContainer() };
        using var other = await AzureBlobStore.OpenAsync(options, Token);
        await PutAsync(other, [1], PutCondition.CreateOnce);
        using var store = await AzureBlobStore.OpenAsync(options with { ConfigureClient = client => client.AddPolicy(drop, HttpPipelinePosition.PerRetry) }, Token);

        var put = await PutAsync(store, [1], PutCondition.CreateOnce);

        Assert.True(drop.HasDropped);
        Assert.False(put.Written);
    }

    private static bool IsPut(Request request) => request.Method == RequestMethod.Put && !request.Uri.Query.Contains("restype=container", StringComparison.Ordinal);

    private static Task<PutResult> PutAsync(AzureBlobStore store, byte[] bytes, PutCondition condition) =>
        store.PutAsync("a", new MemoryStream(bytes), bytes.Length, condition, Token);

    private Task<AzureBlobStore> NewStoreAsync(DropReplyPolicy drop) => azurite.NewStoreAsync(Token, options => options with
    {
        BlockLength = 64 * 1024,
        ConfigureClient = client =>
        {
            client.Retry.Delay = TimeSpan.FromMilliseconds(1);
            client.AddPolicy(drop, HttpPipelinePosition.PerRetry);
        },
    });
}
