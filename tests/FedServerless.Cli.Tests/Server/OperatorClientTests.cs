using System.Net;
using FedServerless.Cli.Tests.Fakes;
using FedServerless.Wire;

namespace FedServerless.Cli.Tests.Server;

public sealed class OperatorClientTests
{
    [Fact]
    public async Task Any_KeyIsWrong_SaysWhereItCameFromAndWhereTheRightOneIs()
    {
        using var shell = new TestShell(new FakeServer().Refuse("GET runs", new ProblemDetails("/problems/authentication", "Not authenticated", 401)));

        Assert.Equal(ExitCodes.Failure, await shell.RunAsync("run", "list"));

        Assert.Contains("does not accept the operator key from FED_KEY", shell.Error, StringComparison.Ordinal);
        Assert.Contains("operator.key", shell.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(FakeServer.Key, shell.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Any_NoKeyKnown_SaysHowToPassOne()
    {
        using var shell = new TestShell(new FakeServer().Refuse("GET runs", new ProblemDetails("/problems/authentication", "Not authenticated", 401)));
        shell.Set(Variables.Key, "");

        Assert.Equal(ExitCodes.Failure, await shell.RunAsync("run", "list"));

        Assert.Contains("none was found", shell.Error, StringComparison.Ordinal);
        Assert.Contains("--key or FED_KEY", shell.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Any_ServerRefuses_GivesTitleAndDetail()
    {
        using var shell = new TestShell(new FakeServer().Refuse("GET runs/r", new ProblemDetails("/problems/not-found", "Not found", 404, "There is no run 'r'.")));

        Assert.Equal(ExitCodes.Failure, await shell.RunAsync("run", "status", "r"));

        Assert.Equal("fed: Not found: There is no run 'r'.", shell.Error.TrimEnd());
    }

    [Fact]
    public async Task Any_AnswerIsNoProblemDetails_AsksWhetherItIsAServer()
    {
        using var shell = new TestShell(new FakeServer().On("GET runs", 502, "<html>"u8.ToArray()));

        Assert.Equal(ExitCodes.Failure, await shell.RunAsync("run", "list"));

        Assert.Contains("answered 502", shell.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Any_AnswerIsNotUnderstood_PointsAtTheVersions()
    {
        using var shell = new TestShell(new FakeServer().On("GET runs", 200, "<html>"u8.ToArray()));

        Assert.Equal(ExitCodes.Failure, await shell.RunAsync("run", "list"));

        Assert.Contains("fed version", shell.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Any_NothingListens_SaysHowToStartAServer()
    {
        using var shell = new TestShell();
        using var taken = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        taken.Stop();

        Assert.Equal(ExitCodes.Failure, await shell.RunAsync("run", "list", "--url", $"http://127.0.0.1:{port}"));

        Assert.Contains($"Nothing answers at http://127.0.0.1:{port}", shell.Error, StringComparison.Ordinal);
        Assert.Contains("fed up", shell.Error, StringComparison.Ordinal);
    }
}
