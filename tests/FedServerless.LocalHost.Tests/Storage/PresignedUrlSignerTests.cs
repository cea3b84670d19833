using FedServerless.Storage.Presigned;
using FedServerless.Testing.Storage;

namespace FedServerless.LocalHost.Tests.Storage;

public sealed class PresignedUrlSignerTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    // Worked out with `openssl dgst -sha256 -mac HMAC` over "fedserverless-blob-url-v1\nPUT\na/b\n5\n1800000060".
    private const string Golden = "/blobs/a/b?m=PUT&len=5&exp=1800000060&sig=lUBZzxW37ZZgouDzrHG2g15hsOMvnXNaZDuQUoZhgc8";

    [Fact]
    public void SignCreate_KnownInput_IsTheUrlWorkedOutElsewhere()
    {
        Assert.Equal(Golden, Signer(Now).SignCreate("a/b", 5, TimeSpan.FromSeconds(60)).Url);
    }

    [Fact]
    public void TryVerify_OwnUrl_GrantsWhatWasSigned()
    {
        Assert.Equal(PresignedRefusal.None, Verify("PUT", Golden, out var grant));

        Assert.Equal(new PresignedGrant("PUT", "a/b", 5, Now.AddSeconds(60)), grant);
    }

    [Theory]
    [InlineData("a/b?", "a/c?", PresignedRefusal.BadSignature)]
    [InlineData("len=5", "len=6", PresignedRefusal.BadSignature)]
    [InlineData("len=5", "len=05", PresignedRefusal.BadSignature)]
    [InlineData("len=5", "len=+5", PresignedRefusal.Malformed)]
    [InlineData("len=5", "len=-5", PresignedRefusal.Malformed)]
    [InlineData("len=5", "len=", PresignedRefusal.Malformed)]
    [InlineData("len=5", "len=9223372036854775808", PresignedRefusal.Malformed)]
    [InlineData("len=5&", "", PresignedRefusal.Malformed)]
    [InlineData("exp=1800000060", "exp=1800000061", PresignedRefusal.BadSignature)]
    [InlineData("exp=1800000060", "exp=9999999999999999", PresignedRefusal.Malformed)]
    [InlineData("m=PUT&len=5", "m=GET", PresignedRefusal.BadSignature)]
    [InlineData("m=PUT", "m=DELETE", PresignedRefusal.Malformed)]
    [InlineData("&sig=", "&sig=A", PresignedRefusal.BadSignature)]
    [InlineData("&sig=", "&x=1&sig=", PresignedRefusal.Malformed)]
    [InlineData("/blobs/", "/blob/", PresignedRefusal.Malformed)]
    [InlineData("/blobs/a/b", "/blobs/a/../a/b", PresignedRefusal.Malformed)]
    [InlineData("/blobs/a/b", "/blobs/", PresignedRefusal.Malformed)]
    public void TryVerify_UrlChanged_IsRefused(string from, string to, PresignedRefusal expected)
    {
        var changed = Golden.Replace(from, to, StringComparison.Ordinal);
        Assert.NotEqual(Golden, changed);

        Assert.Equal(expected, Verify("PUT", changed, out var grant));

        Assert.Null(grant);
    }

    [Fact]
    public void TryVerify_AnyCharacterOfTheSignatureChanged_IsRefused()
    {
        for (var i = Golden.IndexOf("sig=", StringComparison.Ordinal) + 4; i < Golden.Length; i++)
        {
            var changed = Golden[..i] + (Golden[i] == 'A' ? 'B' : 'A') + Golden[(i + 1)..];

            Assert.Equal(PresignedRefusal.BadSignature, Verify("PUT", changed, out _));
        }
    }

    [Theory]
    [InlineData(59, PresignedRefusal.None)]
    [InlineData(60, PresignedRefusal.Expired)]
    [InlineData(61, PresignedRefusal.Expired)]
    public void TryVerify_AroundItsExpiry_EndsAtThatSecond(int seconds, PresignedRefusal expected)
    {
        Assert.Equal(expected, Verify("PUT", Golden, out _, Now.AddSeconds(seconds)));
    }

    [Theory]
    [InlineData("GET", PresignedRefusal.None)]
    [InlineData("HEAD", PresignedRefusal.None)]
    [InlineData("PUT", PresignedRefusal.OtherMethod)]
    [InlineData("DELETE", PresignedRefusal.OtherMethod)]
    [InlineData("get", PresignedRefusal.OtherMethod)]
    public void TryVerify_GetUrl_IsForGetAndHead(string method, PresignedRefusal expected)
    {
        Assert.Equal(expected, Verify(method, Signer(Now).SignGet("a", TimeSpan.FromMinutes(1)).Url, out _));
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    [InlineData("POST")]
    public void TryVerify_PutUrl_IsForPutOnly(string method)
    {
        Assert.Equal(PresignedRefusal.OtherMethod, Verify(method, Golden, out _));
    }

    [Fact]
    public void TryVerify_OtherKey_IsRefused()
    {
        var other = new PresignedUrlSigner(new byte[32], new StoppedClock(Now));

        Assert.Equal(PresignedRefusal.BadSignature, Verify("PUT", other.SignCreate("a/b", 5, TimeSpan.FromSeconds(60)).Url, out _));
    }

    [Fact]
    public void TryVerify_KeyBeforeARotation_IsAcceptedAndNoLongerUsed()
    {
        var old = Signer(Now).SignCreate("a/b", 5, TimeSpan.FromSeconds(60)).Url;
        var rotated = new PresignedUrlSigner(new byte[32], new StoppedClock(Now), Key);

        Assert.True(rotated.TryVerify("PUT", old.Split('?')[0], "?" + old.Split('?')[1], out _, out _));
        Assert.NotEqual(old, rotated.SignCreate("a/b", 5, TimeSpan.FromSeconds(60)).Url);
        Assert.Equal(PresignedRefusal.BadSignature, Verify("PUT", rotated.SignCreate("a/b", 5, TimeSpan.FromSeconds(60)).Url, out _));
    }

    [Fact]
    public void Constructor_KeyLength_HasAMinimum()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new PresignedUrlSigner(Key, TimeProvider.System, new byte[31]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new PresignedUrlSigner(new byte[31], TimeProvider.System));
        Assert.NotNull(new PresignedUrlSigner(new byte[32], TimeProvider.System));
        Assert.NotNull(new PresignedUrlSigner(new byte[33], TimeProvider.System));
    }

    private static PresignedUrlSigner Signer(DateTimeOffset now) => new(Key, new StoppedClock(now));

    private static PresignedRefusal Verify(string method, string url, out PresignedGrant? grant, DateTimeOffset? now = null)
    {
        var at = url.IndexOf('?', StringComparison.Ordinal);
        Signer(now ?? Now).TryVerify(method, url[..at], url[at..], out grant, out var refusal);
        return refusal;
    }
}
