using System.Net;
using System.Net.Http.Headers;
using FedServerless.Storage;
using FedServerless.Storage.Presigned;
using Xunit;

namespace FedServerless.Testing.Storage;

public abstract partial class ObjectStoreConformanceTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(10);
    private static readonly byte[] Md5Of123 = Convert.FromHexString("5289df737df57326fcdd22597afb1fac");
    private readonly HttpClient _http = new();

    /// <summary>Whether a pre-signed create refuses any other length than the one signed.</summary>
    protected virtual bool HoldsUploadsToTheirLength => true;

    /// <summary>Where relative URLs belong; asked only for those.</summary>
    protected abstract Task<Uri> OriginAsync();

    /// <summary>A URL to read <paramref name="name"/> that was good an hour ago.</summary>
    protected abstract Task<PresignedRequest> PresignExpiredGetAsync(string name);

    [Fact]
    public async Task PresignGet_Sent_ReadsTheObject()
    {
        var bytes = PatternStream.Bytes(300_000);
        await PutAsync("models/m/weights", bytes);

        using var reply = await SendAsync(await Store.PresignGetAsync("models/m/weights", Soon, Token));

        Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
        Assert.Equal(bytes, await reply.Content.ReadAsByteArrayAsync(Token));
    }

    [Theory]
    [InlineData(0L, 9L, 0, 10)]
    [InlineData(990L, null, 990, 10)]
    [InlineData(990L, 5000L, 990, 10)]
    [InlineData(999L, 999L, 999, 1)]
    public async Task PresignGet_SentWithARange_ReadsTheRange(long? from, long? to, int offset, int count)
    {
        var bytes = PatternStream.Bytes(1000);
        await PutAsync("a", bytes);

        using var reply = await SendAsync(await Store.PresignGetAsync("a", Soon, Token), range: new RangeHeaderValue(from, to));

        Assert.Equal(HttpStatusCode.PartialContent, reply.StatusCode);
        Assert.Equal(new ContentRangeHeaderValue(offset, offset + count - 1, 1000), reply.Content.Headers.ContentRange);
        Assert.Equal(bytes[offset..(offset + count)], await reply.Content.ReadAsByteArrayAsync(Token));
    }

    [Fact]
    public async Task PresignGet_SentWithARangeBeyondTheEnd_Gets416()
    {
        await PutAsync("a", new byte[1000]);

        using var reply = await SendAsync(await Store.PresignGetAsync("a", Soon, Token), range: new RangeHeaderValue(1001, null));

        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, reply.StatusCode);
    }

    [Fact]
    public async Task PresignGet_SentForAnAbsentObject_Gets404()
    {
        using var reply = await SendAsync(await Store.PresignGetAsync("a", Soon, Token));

        Assert.Equal(HttpStatusCode.NotFound, reply.StatusCode);
    }

    [Fact]
    public async Task PresignGet_SentAsHead_SaysTheLengthAndSendsNoBody()
    {
        await PutAsync("a", new byte[1000]);

        using var reply = await SendAsync(await Store.PresignGetAsync("a", Soon, Token), method: HttpMethod.Head);

        Assert.Equal((HttpStatusCode.OK, 1000L), (reply.StatusCode, reply.Content.Headers.ContentLength));
    }

    [Fact]
    public async Task PresignCreate_Sent_CreatesTheObject()
    {
        var bytes = PatternStream.Bytes(300_000);

        using var reply = await SendAsync(await Store.PresignCreateAsync("updates/u/0", bytes.Length, Soon, Token), bytes);

        Assert.Equal(HttpStatusCode.Created, reply.StatusCode);
        Assert.Equal(bytes, await GetAsync("updates/u/0"));
    }

    [Fact]
    public async Task PresignCreate_SentTwice_RefusesTheSecond()
    {
        var request = await Store.PresignCreateAsync("a", 3, Soon, Token);
        using var first = await SendAsync(request, [1, 2, 3]);

        using var second = await SendAsync(request, [4, 5, 6]);

        Assert.Equal(HttpStatusCode.Created, first.StatusCode);
        Assert.True(second.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.Forbidden or HttpStatusCode.PreconditionFailed, second.StatusCode.ToString());
        Assert.Equal([1, 2, 3], await GetAsync("a"));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(0)]
    public async Task PresignCreate_SentWithAnotherLength_IsRefusedWhereTheBackendCan(int length)
    {
        using var reply = await SendAsync(await Store.PresignCreateAsync("a", 3, Soon, Token), new byte[length]);

        Assert.Equal(HoldsUploadsToTheirLength ? HttpStatusCode.BadRequest : HttpStatusCode.Created, reply.StatusCode);
        Assert.Equal(HoldsUploadsToTheirLength ? null : length, (int?)(await Store.HeadAsync("a", Token))?.Length);
    }

    [Fact]
    public async Task PresignCreate_SentWithItsMd5_CreatesTheObject()
    {
        using var reply = await SendAsync(await Store.PresignCreateAsync("a", 3, Soon, Token), [1, 2, 3], md5: Md5Of123);

        Assert.Equal(HttpStatusCode.Created, reply.StatusCode);
    }

    [Fact]
    public async Task PresignCreate_SentWithAnotherMd5_CreatesNothing()
    {
        using var reply = await SendAsync(await Store.PresignCreateAsync("a", 3, Soon, Token), [1, 2, 3], md5: [.. Md5Of123.Reverse()]);

        Assert.Equal(HttpStatusCode.BadRequest, reply.StatusCode);
        Assert.Null(await Store.HeadAsync("a", Token));
    }

    [Fact]
    public async Task PresignCreate_UsedToRead_IsRefused()
    {
        await PutAsync("a", [1, 2, 3]);

        using var reply = await SendAsync(await Store.PresignCreateAsync("a", 3, Soon, Token), method: HttpMethod.Get);

        AssertRefused(reply);
    }

    [Fact]
    public async Task PresignGet_UsedToWrite_IsRefused()
    {
        var create = await Store.PresignCreateAsync("a", 1, Soon, Token);
        var request = await Store.PresignGetAsync("a", Soon, Token) with { Headers = create.Headers };

        using var reply = await SendAsync(request, [1], method: HttpMethod.Put);

        AssertRefused(reply);
        Assert.Null(await Store.HeadAsync("a", Token));
    }

    [Fact]
    public async Task PresignGet_UsedForAnotherName_IsRefused()
    {
        await PutAsync("runs/mine", [1]);
        await PutAsync("runs/other", [2]);
        var request = await Store.PresignGetAsync("runs/mine", Soon, Token);

        using var reply = await SendAsync(request with { Url = request.Url.Replace("runs/mine", "runs/other", StringComparison.Ordinal) });

        AssertRefused(reply);
    }

    [Fact]
    public async Task PresignGet_SignatureChanged_IsRefused()
    {
        await PutAsync("a", [1]);
        var request = await Store.PresignGetAsync("a", Soon, Token);
        var at = request.Url.IndexOf("sig=", StringComparison.Ordinal) + 6;
        var other = request.Url[at] == 'A' ? 'B' : 'A';

        using var reply = await SendAsync(request with { Url = request.Url[..at] + other + request.Url[(at + 1)..] });

        AssertRefused(reply);
    }

    [Fact]
    public async Task PresignGet_Expired_IsRefused()
    {
        await PutAsync("a", [1]);

        using var reply = await SendAsync(await PresignExpiredGetAsync("a"));

        AssertRefused(reply);
    }

    [Fact]
    public async Task Presign_ValidityOutOfRange_IsRefused()
    {
        TimeSpan[] illegal = [TimeSpan.Zero, PresignLimits.MinValidFor - TimeSpan.FromTicks(1), PresignLimits.MaxValidFor + TimeSpan.FromTicks(1)];
        foreach (var validFor in illegal)
        {
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Store.PresignGetAsync("a", validFor, Token));
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Store.PresignCreateAsync("a", 1, validFor, Token));
        }

        Assert.NotNull(await Store.PresignGetAsync("a", PresignLimits.MinValidFor, Token));
        Assert.NotNull(await Store.PresignCreateAsync("a", 1, PresignLimits.MaxValidFor, Token));
    }

    /// <summary>Sends what a client would send, and nothing more.</summary>
    protected async Task<HttpResponseMessage> SendAsync(
        PresignedRequest request, byte[]? body = null, RangeHeaderValue? range = null, byte[]? md5 = null, HttpMethod? method = null)
    {
        var url = request.Url.StartsWith('/') ? new Uri(await OriginAsync(), request.Url) : new Uri(request.Url);
        using var message = new HttpRequestMessage(method ?? new HttpMethod(request.Method), url);
        message.Headers.Range = range;
        if (body is not null)
        {
            message.Content = new ByteArrayContent(body);
            message.Content.Headers.ContentMD5 = md5;
        }

        foreach (var (name, value) in request.Headers)
        {
            message.Headers.Add(name, value);
        }

        return await Http.SendAsync(message, Token);
    }

    /// <summary>The client of a backend whose certificate needs trusting; otherwise a plain one.</summary>
    protected virtual HttpClient Http => _http;

    private static void AssertRefused(HttpResponseMessage reply) =>
        Assert.True(reply.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.MethodNotAllowed, reply.StatusCode.ToString());
}
