using System.Text.Json.Nodes;

namespace FedServerless.Functions.Tests.Triggers;

public sealed class RouteInvokerTests : IDisposable
{
    private readonly TestApp _app = new();

    [Theory]
    [InlineData("GET", "/api/v1/nowhere", 404, null)]
    [InlineData("GET", "/elsewhere", 404, null)]
    [InlineData("PUT", "/api/v1/runs", 405, "GET, POST")]
    [InlineData("DELETE", "/api/v1/runs/mine/rounds/1/receipts", 405, "POST")]
    [InlineData("PATCH", "/api/v1/runs/mine", 405, "DELETE, GET")]
    public async Task RefuseAsync_NoSuchRow_SaysWhy(string method, string path, int status, string? allow)
    {
        var answer = await _app.SendUnknownAsync(method, path);

        Assert.Equal(status, answer.Status);
        Assert.Equal(allow, (string?)answer.Headers.Allow);
        Assert.Equal(status, (int?)JsonNode.Parse(answer.Text)!["status"]);
    }

    [Fact]
    public async Task RunAsync_WithoutKey_IsRefusedByTheRowAndNotByTheHost()
    {
        Assert.Equal(401, (await _app.SendAsync("listRuns", "GET", "/api/v1/runs")).Status);
        Assert.Equal(200, (await _app.SendAsync("listRuns", "GET", "/api/v1/runs", TestApp.OperatorKey)).Status);
    }

    [Fact]
    public async Task RunAsync_PublicRow_AnswersAnyone() => Assert.Equal(200, (await _app.SendAsync("getHealth", "GET", "/api/v1/health")).Status);

    public void Dispose() => _app.Dispose();
}
