using System.Net;
using FedServerless.Client.Tests.Support;

namespace FedServerless.Client.Tests.Adaptivity;

/// <summary>Networks that answer in the server's place until somebody signs in.</summary>
public sealed class FedClientPortalTests
{
    private const string Page = "<!doctype html><title>Welcome to the hotel</title>";

    public static TheoryData<string, Func<HttpResponseMessage>> Portals => new()
    {
        { "a page of type text/html", () => Html(HttpStatusCode.OK, "text/html") },
        { "a page of type application/xhtml+xml", () => Html(HttpStatusCode.OK, "application/xhtml+xml") },
        { "a redirection to login.hotel.test", () => Redirect(HttpStatusCode.Found) },
        { "a redirection to login.hotel.test", () => Redirect(HttpStatusCode.TemporaryRedirect) },
        { "511", () => Html((HttpStatusCode)511, "text/html") },
    };

    [Theory]
    [MemberData(nameof(Portals), DisableDiscoveryEnumeration = true)]
    public async Task RunOnceAsync_PortalBeforeTheApi_IsRecognisedAndNothingIsDone(string evidence, Func<HttpResponseMessage> answer)
    {
        using var device = new Device();
        await device.OnAsync(TestContext.Current.CancellationToken);
        device.Server.Rewrite = (_, _) => answer();

        var problem = await Assert.ThrowsAsync<FedClientException>(() => device.StepAsync());

        Assert.True(problem.IsTransient);
        AssertReported(device, evidence);
        Assert.Equal(0, device.Fits);
    }

    [Theory]
    [MemberData(nameof(Portals), DisableDiscoveryEnumeration = true)]
    public async Task RunOnceAsync_PortalInTheMiddleOfADownload_KeepsWhatWasThereAndGoesOnAfterwards(string evidence, Func<HttpResponseMessage> answer)
    {
        using var device = new Device(parameters: 100_000);
        var gets = 0;
        device.Server.FaultAt = (_, name) => name == "GET /models/1" && ++gets == 1 ? new Fault.BreakOff(200_000) : null;
        device.Server.Rewrite = (name, response) => name == "GET /models/1" && gets is 2 or 3 ? answer() : response;

        await device.StepAsync();

        device.AssertCommitted();
        AssertReported(device, evidence);
        Assert.Equal(device.ModelBytes.Length, (await device.OnAsync()).BytesDown);
    }

    [Theory]
    [MemberData(nameof(Portals), DisableDiscoveryEnumeration = true)]
    public async Task RunOnceAsync_PortalTakesAPart_TheServerGetsItAfterwards(string evidence, Func<HttpResponseMessage> answer)
    {
        using var device = new Device();
        var puts = 0;
        device.Server.FaultAt = (_, name) => name.StartsWith("PUT", StringComparison.Ordinal) && ++puts <= 2 ? new Fault.Instead(answer) : null;

        await device.StepAsync();

        device.AssertCommitted();
        AssertReported(device, evidence);
    }

    [Fact]
    public async Task EnrolAsync_Portal_IsRecognised()
    {
        using var device = new Device();
        device.Server.Rewrite = (_, _) => Redirect(HttpStatusCode.Found);

        var problem = await Assert.ThrowsAsync<FedClientException>(() => device.OnAsync());

        Assert.Contains("a redirection to login.hotel.test", problem.Message, StringComparison.Ordinal);
    }

    private static void AssertReported(Device device, string evidence)
    {
        var found = Assert.IsType<SignInPageFound>(device.Events.First(happened => happened is SignInPageFound));
        Assert.Equal("fed.test", found.Host);
        Assert.StartsWith(evidence, found.Evidence, StringComparison.Ordinal);
    }

    private static HttpResponseMessage Html(HttpStatusCode status, string type) =>
        new(status) { Content = new StringContent(Page, System.Text.Encoding.UTF8, type) };

    private static HttpResponseMessage Redirect(HttpStatusCode status) =>
        new(status) { Headers = { Location = new Uri("http://login.hotel.test/?to=http%3A%2F%2Ffed.test") } };
}
