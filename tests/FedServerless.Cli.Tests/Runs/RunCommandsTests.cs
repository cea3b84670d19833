using System.Text.Json;
using FedServerless.Cli.Tests.Fakes;
using FedServerless.Wire;

namespace FedServerless.Cli.Tests.Runs;

public sealed class RunCommandsTests
{
    private static readonly WireJson Json = WireJson.Default;

    [Fact]
    public async Task Start_LegalSpec_CreatesThenStarts()
    {
        var server = new FakeServer().On("POST runs", Views.Run(RunStates.Draft), Json.RunView, 201).On("POST runs/r/start", Views.Run(), Json.RunView);
        using var shell = new TestShell(server);

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("run", "start", "r", "--model", "press", "--rounds", "3", "--lr", "0.5"));

        Assert.Equal(["POST runs", "POST runs/r/start"], server.Requests.Select(request => request.Line));
        Assert.All(server.Requests, request => Assert.Equal($"Bearer {FakeServer.Key}", request.Authorization));
        var sent = JsonSerializer.Deserialize(server.Requests[0].Body, Json.CreateRunRequest)!;
        Assert.Equal(("r", false, 3, 0.5), (sent.Id, sent.DryRun, sent.Spec.Rounds, sent.Spec.Training.LearningRate));
        Assert.Contains("fed run watch r", shell.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_DryRun_StartsNothingAndShowsTheSpec()
    {
        var server = new FakeServer().On("POST runs", Views.Run(RunStates.Draft), Json.RunView);
        using var shell = new TestShell(server);

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("run", "start", "r", "--model", "press", "--rounds", "3", "--dry-run", "--json"));

        Assert.True(JsonSerializer.Deserialize(Assert.Single(server.Requests).Body, Json.CreateRunRequest)!.DryRun);
        Assert.Equal(Views.Spec, JsonSerializer.Deserialize(shell.Output, Json.RunSpec));
    }

    [Fact]
    public async Task Start_ServerFindsProblems_ListsThemOnePerLine()
    {
        var server = new FakeServer().Refuse("POST runs", new ProblemDetails(
            "/problems/invalid-spec", "The run's specification is not valid", 400, "Nothing was stored.",
            [new Problem("spec.rounds", "0", "1 or more"), new Problem("spec.model", null, "a name")]));
        using var shell = new TestShell(server);

        Assert.Equal(ExitCodes.Failure, await shell.RunAsync("run", "start", "r", "--model", "press", "--rounds", "3"));

        Assert.Equal(
            ["fed: The run's specification is not valid: Nothing was stored.", "  spec.rounds is '0'; expected 1 or more.", "  spec.model is missing; expected a name."],
            shell.Error.TrimEnd().Split(Environment.NewLine));
    }

    [Fact]
    public async Task List_Json_IsTheListingOnOneLine()
    {
        using var shell = new TestShell(new FakeServer().On("GET runs", new Listing<RunView>([Views.Run()]), Json.ListingRunView));

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("run", "list", "--json"));

        Assert.Single(shell.Output.TrimEnd().Split('\n'));
        Assert.Equal(Views.Run(), Assert.Single(JsonSerializer.Deserialize(shell.Output, Json.ListingRunView)!.Items));
    }

    [Fact]
    public async Task List_NoRuns_SaysHowToCreateOne()
    {
        using var shell = new TestShell(new FakeServer().On("GET runs", new Listing<RunView>([]), Json.ListingRunView));

        await shell.RunAsync("run", "list");

        Assert.Contains("fed run start", shell.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pause", "pause", "")]
    [InlineData("resume", "resume", "")]
    [InlineData("stop", "stop", "")]
    [InlineData("recover", "recover", "")]
    [InlineData("stop --reason wrong&data", "stop?reason=wrong%26data", "")]
    public async Task Steer_EachVerb_PostsIt(string line, string path, string body)
    {
        var server = new FakeServer().On($"POST runs/r/{path}", Views.Run(RunStates.Paused), Json.RunView);
        using var shell = new TestShell(server);

        Assert.Equal(ExitCodes.Success, await shell.RunAsync(["run", .. line.Split(' ')[..1], "r", .. line.Split(' ')[1..]]));

        Assert.Equal(body, Assert.Single(server.Requests).Body);
        Assert.Contains("r: paused", shell.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_RefusedUpdate_ShowsClientAndReason()
    {
        var rounds = new Listing<RoundView>([Views.Round(1, "published", new Refusal("edge-2", "not finite")), Views.Round(2, "open")]);
        var server = new FakeServer().On("GET runs/r", Views.Run(round: 2, published: 1), Json.RunView).On("GET runs/r/rounds?after=0", rounds, Json.ListingRoundView);
        using var shell = new TestShell(server);

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("run", "status", "r"));

        Assert.Contains("1 of 3 rounds published; round 2 is open, 3 of 3 updates here", shell.Output, StringComparison.Ordinal);
        Assert.Contains("round 1: edge-2: not finite", shell.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(RunStates.Completed, ExitCodes.Success)]
    [InlineData(RunStates.Stalled, ExitCodes.Failure)]
    [InlineData(RunStates.Stopped, ExitCodes.Failure)]
    public async Task Watch_RunHasEnded_ShowsEachRoundOnceAndTellsTheState(string state, int expected)
    {
        var server = new FakeServer()
            .On("GET runs/r", Views.Run(state, round: 2, published: 2), Json.RunView)
            .On("GET runs/r/rounds?after=0", new Listing<RoundView>([Views.Round(1), Views.Round(2)]), Json.ListingRoundView);
        using var shell = new TestShell(server);

        Assert.Equal(expected, await shell.RunAsync("run", "watch", "r"));

        Assert.Equal(1, shell.Output.Split('\n').Count(line => line.Contains("r-r1", StringComparison.Ordinal)));
        Assert.Equal(1, shell.Output.Split('\n').Count(line => line.Contains("r-r2", StringComparison.Ordinal)));
        Assert.Contains($"r: {state}", shell.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_RunFailedInAnOpenRound_EndsAndTellsWhy()
    {
        var server = new FakeServer()
            .On("GET runs/r", Views.Run(RunStates.Failed, round: 2, published: 1, reason: "fed run recover r continues it"), Json.RunView)
            .On("GET runs/r/rounds?after=0", new Listing<RoundView>([Views.Round(1), Views.Round(2, "open")]), Json.ListingRoundView)
            .On("GET runs/r/rounds?after=1", new Listing<RoundView>([Views.Round(2, "open")]), Json.ListingRoundView);
        using var shell = new TestShell(server);

        Assert.Equal(ExitCodes.Failure, await shell.RunAsync("run", "watch", "r"));

        Assert.Contains("r: failed, 1 of 3 rounds published; fed run recover r continues it", shell.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_Cancelled_SaysThatTheRunGoesOn()
    {
        var server = new FakeServer()
            .On("GET runs/r", Views.Run(RunStates.WaitingForClients), Json.RunView)
            .On("GET runs/r/rounds?after=0", new Listing<RoundView>([]), Json.ListingRoundView);
        using var shell = new TestShell(server);
        using var stop = new CancellationTokenSource();
        var watching = FedTool.RunAsync(["run", "watch", "r"], shell.Shell, stop.Token);
        await stop.CancelAsync();

        Assert.Equal(ExitCodes.Failure, await watching);

        Assert.Contains("r goes on", shell.Error, StringComparison.Ordinal);
        Assert.Contains("r: waitingForClients", shell.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Delete_RunHasEnded_DeletesIt()
    {
        var server = new FakeServer().On("GET runs/r", Views.Run(RunStates.Stopped), Json.RunView).On("DELETE runs/r", 204, []);
        using var shell = new TestShell(server);

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("run", "delete", "r"));

        Assert.Equal(("DELETE runs/r", $"Bearer {FakeServer.Key}"), (server.Requests[^1].Line, server.Requests[^1].Authorization));
        Assert.Contains("r is deleted", shell.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_Json_WritesOnlyTheEnd()
    {
        var ended = Views.Run(RunStates.Completed, round: 1, published: 1);
        var server = new FakeServer().On("GET runs/r", ended, Json.RunView)
            .On("GET runs/r/rounds?after=0", new Listing<RoundView>([Views.Round(1)]), Json.ListingRoundView);
        using var shell = new TestShell(server);

        await shell.RunAsync("run", "watch", "r", "--json");

        Assert.Equal(ended, JsonSerializer.Deserialize(shell.Output, Json.RunView));
    }

    [Fact]
    public async Task Log_TwoPages_ReadsBoth()
    {
        var server = new FakeServer()
            .On("GET runs/r/log?after=0", new LogPage([Views.Entry(1), Views.Entry(2)], 2), Json.LogPage)
            .On("GET runs/r/log?after=2", new LogPage([Views.Entry(3)], 3), Json.LogPage)
            .On("GET runs/r/log?after=3", new LogPage([], 3), Json.LogPage);
        using var shell = new TestShell(server);

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("run", "log", "r"));

        Assert.Equal(3, shell.Output.TrimEnd().Split('\n').Length);
        Assert.Contains("1970-01-01 00:00:00Z  Round 3 published.", shell.Output, StringComparison.Ordinal);
    }
}
