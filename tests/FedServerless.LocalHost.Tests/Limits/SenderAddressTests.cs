using System.Net;
using FedServerless.Gateway.Limits;
using Microsoft.AspNetCore.Http;

namespace FedServerless.LocalHost.Tests.Limits;

public sealed class SenderAddressTests
{
    [Theory]
    [InlineData("203.0.113.7", "::ffff:203.0.113.7", true)]
    [InlineData("203.0.113.7", "203.0.113.8", false)]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::9", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("::1", "::2", true)]
    public void Of_TwoAddresses_AreOneSenderWhenOneSubscriberHasBoth(string one, string other, bool same) =>
        Assert.Equal(same, SenderAddress.Of(IPAddress.Parse(one)).Key == SenderAddress.Of(IPAddress.Parse(other)).Key);

    [Theory]
    [InlineData(0, "198.51.100.1", "10.0.0.1")]
    [InlineData(1, "198.51.100.1", "198.51.100.1")]
    [InlineData(1, "6.6.6.6, 198.51.100.1", "198.51.100.1")]
    [InlineData(1, "198.51.100.1:51234", "198.51.100.1")]
    [InlineData(1, "[2001:db8:1:2::9]:51234", "2001:db8:1:2::/64")]
    [InlineData(2, "6.6.6.6, 198.51.100.1, 10.9.9.9", "198.51.100.1")]
    [InlineData(2, "198.51.100.1", "10.0.0.1")]
    [InlineData(1, "not an address", "10.0.0.1")]
    [InlineData(1, "", "10.0.0.1")]
    public void Of_ForwardedFor_TrustsOnlyWhatTheOutermostProxyWrote(int forwarders, string header, string expected)
    {
        var http = new DefaultHttpContext();
        http.Connection.RemoteIpAddress = IPAddress.Parse("10.0.0.1");
        http.Request.Headers["X-Forwarded-For"] = header;

        Assert.Equal(expected, SenderAddress.Of(http, forwarders).Text);
    }

    [Fact]
    public void Of_HeaderSentTwice_CountsFromTheLast()
    {
        var http = new DefaultHttpContext();
        http.Request.Headers["X-Forwarded-For"] = new[] { "6.6.6.6", "7.7.7.7, 198.51.100.1" };

        Assert.Equal("198.51.100.1", SenderAddress.Of(http, 1).Text);
    }

    [Fact]
    public void Of_NothingKnown_IsOneSenderForAll() => Assert.Equal(SenderAddress.Unknown, SenderAddress.Of(new DefaultHttpContext(), 0));
}
