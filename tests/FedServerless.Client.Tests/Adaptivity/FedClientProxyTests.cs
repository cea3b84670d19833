using System.Net;
using FedServerless.Client.Tests.Support;

namespace FedServerless.Client.Tests.Adaptivity;

public sealed class FedClientProxyTests
{
    // Nothing listens at the server's address: only the proxy knows the way.
    [Fact]
    public async Task RunOnceAsync_ThroughAProxy_EveryRequestGoesThere()
    {
        using var device = new Device();
        await using var proxy = new ForwardProxy(device.Server);
        device.Options = device.Options with { HttpHandler = null, Proxy = new WebProxy(proxy.Address) };

        await device.StepAsync();
        device.Off();

        device.AssertCommitted();
        Assert.Equal(device.Server.Log.Count, proxy.Lines.Count);
        Assert.All(proxy.Lines, line => Assert.Contains($" {FakeServer.Origin}/", line, StringComparison.Ordinal));
    }
}
