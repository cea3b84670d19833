using FedServerless.Client.Http;

namespace FedServerless.Client.Tests.Http;

public sealed class ServerUrlsTests
{
    [Theory]
    [InlineData("https://fed.test", "https://fed.test/api/v1/check-in")]
    [InlineData("https://fed.test/", "https://fed.test/api/v1/check-in")]
    [InlineData("https://fed.test:8443/base/", "https://fed.test:8443/base/api/v1/check-in")]
    public void Api_Route_IsBelowTheServersAddress(string server, string expected) =>
        Assert.Equal(expected, new ServerUrls(new Uri(server)).Api("check-in").AbsoluteUri);

    [Theory]
    [InlineData("http://fed.test:8080", "/blobs/x?sig=a%2Fb", "http://fed.test:8080/blobs/x?sig=a%2Fb")]
    [InlineData("http://fed.test:8080", "http://store.test/x", "http://store.test/x")]
    [InlineData("http://fed.test:8080", "https://store.test/x", "https://store.test/x")]
    [InlineData("https://fed.test", "https://store.test/x", "https://store.test/x")]
    [InlineData("https://fed.test", "HTTPS://store.test/x", "https://store.test/x")]
    [InlineData("https://fed.test", "/\\store.test/x", "https://fed.test//store.test/x")]
    public void PreSigned_LegalUrl_IsResolvedAgainstTheOrigin(string server, string url, string expected) =>
        Assert.Equal(expected, new ServerUrls(new Uri(server)).PreSigned(url).AbsoluteUri);

    [Theory]
    [InlineData("https://fed.test", "http://store.test/x")]
    [InlineData("https://fed.test", "//store.test/x")]
    [InlineData("https://fed.test", "\\\\store.test\\x")]
    [InlineData("https://fed.test", "file:///etc/passwd")]
    [InlineData("https://fed.test", "ftp://store.test/x")]
    [InlineData("https://fed.test", "data:text/plain,x")]
    [InlineData("https://fed.test", "x")]
    [InlineData("https://fed.test", "")]
    [InlineData("https://fed.test", " /x")]
    [InlineData("https://fed.test", "https://user@store.test/x")]
    [InlineData("https://fed.test", "https://")]
    public void PreSigned_AnythingElse_IsRefused(string server, string url) =>
        Assert.Throws<GiveUpException>(() => new ServerUrls(new Uri(server)).PreSigned(url));

    [Theory]
    [InlineData(8191, true)]
    [InlineData(8192, true)]
    [InlineData(8193, false)]
    public void PreSigned_LengthAroundTheLimit_RefusedAboveIt(int length, bool accepted)
    {
        var urls = new ServerUrls(new Uri("https://fed.test"));
        var url = "/" + new string('x', length - 1);

        Assert.Equal(accepted, Record.Exception(() => urls.PreSigned(url)) is null);
    }
}
