using System.Text.Json;
using FedServerless.Cli.Tests.Fakes;
using FedServerless.Wire;

namespace FedServerless.Cli.Tests.Clients;

public sealed class ClientCommandsTests
{
    private static readonly WireJson Json = WireJson.Default;

    [Fact]
    public async Task Enrol_Plain_WritesTheCodeAloneToTheOutput()
    {
        var server = new FakeServer().On("POST enrolments", new CreateEnrolmentResponse("fed1.abc", DateTimeOffset.UnixEpoch), Json.CreateEnrolmentResponse, 201);
        using var shell = new TestShell(server);

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("enrol", "press-17", "--population", "plant", "--ttl", "15m"));

        Assert.Equal("fed1.abc", shell.Output.Trim());
        Assert.Equal(
            new CreateEnrolmentRequest("press-17", "plant", 900),
            JsonSerializer.Deserialize(Assert.Single(server.Requests).Body, Json.CreateEnrolmentRequest));
    }

    [Fact]
    public async Task List_OfAPopulation_AsksForThatOnly()
    {
        var view = new ClientView("press-17", "plant", "enrolled", "thumb", DateTimeOffset.UnixEpoch, null);
        using var shell = new TestShell(new FakeServer().On("GET clients?population=plant", new Listing<ClientView>([view]), Json.ListingClientView));

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("client", "list", "--population", "plant"));

        Assert.Contains("press-17", shell.Output, StringComparison.Ordinal);
        Assert.Contains("enrolled", shell.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Revoke_KnownClient_TellsItsState()
    {
        var view = new ClientView("press-17", "plant", "revoked", "thumb", DateTimeOffset.UnixEpoch, null);
        using var shell = new TestShell(new FakeServer().On("POST clients/press-17/revoke", view, Json.ClientView));

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("client", "revoke", "press-17"));

        Assert.Equal("press-17 is revoked.", shell.Output.Trim());
    }
}
