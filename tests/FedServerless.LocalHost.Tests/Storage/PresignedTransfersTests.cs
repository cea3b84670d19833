using FedServerless.Storage.Presigned;
using FedServerless.Testing.Storage;

namespace FedServerless.LocalHost.Tests.Storage;

/// <summary>What the conformance suite cannot send: an HTTP client would not.</summary>
public sealed class PresignedTransfersTests
{
    private readonly PresignedUrlSigner _signer = new(new byte[32], TimeProvider.System);
    private readonly InMemoryObjectStore _inner = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Put_NoContentLength_Is411()
    {
        Assert.Equal(411, (await PutAsync(_inner, request => request with { ContentLength = null })).Status);
    }

    [Fact]
    public async Task Put_BodyShorterThanItsHeader_Is400AndCreatesNothing()
    {
        Assert.Equal(400, (await PutAsync(_inner, request => request with { Body = new MemoryStream([1, 2]) })).Status);
        Assert.Empty(_inner.Names);
    }

    [Theory]
    [InlineData("")]
    [InlineData("not base64!")]
    [InlineData("AAAA")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAA=")]
    public async Task Put_MalformedMd5_Is400AndCreatesNothing(string md5)
    {
        Assert.Equal(400, (await PutAsync(_inner, request => request with { ContentMd5 = md5 })).Status);
        Assert.Empty(_inner.Names);
    }

    [Fact]
    public async Task Put_StoreFull_Is507AndMaySucceedLater()
    {
        var store = FaultInjectingStore.At(_inner, 1, StoreFault.Full);

        Assert.Equal(507, (await PutAsync(store)).Status);
        Assert.Equal(201, (await PutAsync(store)).Status);
    }

    [Theory]
    [InlineData(null, 10, 0, 10)]
    [InlineData("bytes=0-", 10, 0, 10)]
    [InlineData("bytes=3-5", 10, 3, 3)]
    [InlineData("bytes=3-3", 10, 3, 1)]
    [InlineData("bytes=9-", 10, 9, 1)]
    [InlineData("bytes=3-99999", 10, 3, 7)]
    [InlineData("bytes=-3", 10, 7, 3)]
    [InlineData("bytes=-30", 10, 0, 10)]
    [InlineData("BYTES=3-5", 10, 3, 3)]
    [InlineData("bytes=5-3", 10, 0, 10)]
    [InlineData("bytes=1-2,4-5", 10, 0, 10)]
    [InlineData("bytes=a-b", 10, 0, 10)]
    [InlineData("bytes=-", 10, 0, 10)]
    [InlineData("bytes=", 10, 0, 10)]
    [InlineData("bytes=3-x", 10, 0, 10)]
    [InlineData("lines=1-2", 10, 0, 10)]
    [InlineData(null, 0, 0, 0)]
    public async Task Get_Range_SendsThoseBytes(string? range, int length, int offset, int count)
    {
        var bytes = PatternStream.Bytes(length);
        await _inner.PutAsync("a", new MemoryStream(bytes), length, default, Token);

        await using var reply = await GetAsync(range);

        var body = new MemoryStream();
        await reply.CopyBodyToAsync(body, Token);
        Assert.Equal(bytes[offset..(offset + count)], body.ToArray());
        Assert.Equal(count.ToString(), reply.Headers["Content-Length"]);
        Assert.True(reply.Status is 200 or 206);
    }

    [Theory]
    [InlineData("bytes=10-", 10)]
    [InlineData("bytes=10-12", 10)]
    [InlineData("bytes=-0", 10)]
    [InlineData("bytes=0-", 0)]
    [InlineData("bytes=-5", 0)]
    public async Task Get_RangeOfNoBytes_Is416WithTheLength(string range, int length)
    {
        await _inner.PutAsync("a", new MemoryStream(new byte[length]), length, default, Token);

        await using var reply = await GetAsync(range);

        Assert.Equal(416, reply.Status);
        Assert.Equal($"bytes */{length}", reply.Headers["Content-Range"]);
    }

    private async Task<TransferReply> GetAsync(string? range)
    {
        var (path, query) = Split(_signer.SignGet("a", TimeSpan.FromMinutes(1)).Url);
        return await new PresignedTransfers(_inner, _signer).HandleAsync(new TransferRequest { Method = "GET", Path = path, Query = query, Range = range }, Token);
    }

    private async Task<TransferReply> PutAsync(FedServerless.Storage.IObjectStore store, Func<TransferRequest, TransferRequest>? change = null)
    {
        var (path, query) = Split(_signer.SignCreate("a", 3, TimeSpan.FromMinutes(1)).Url);
        var request = new TransferRequest { Method = "PUT", Path = path, Query = query, ContentLength = 3, Body = new MemoryStream([1, 2, 3]) };
        return await new PresignedTransfers(store, _signer).HandleAsync(change?.Invoke(request) ?? request, Token);
    }

    private static (string Path, string Query) Split(string url)
    {
        var at = url.IndexOf('?', StringComparison.Ordinal);
        return (url[..at], url[at..]);
    }
}
