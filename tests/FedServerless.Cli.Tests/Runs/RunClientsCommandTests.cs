using System.Text.Json;
using FedServerless.Cli.Tests.Fakes;
using FedServerless.Wire;

namespace FedServerless.Cli.Tests.Runs;

public sealed class RunClientsCommandTests
{
    private static readonly WireJson Json = WireJson.Default;

    private static readonly RoundClientView Plain = new("edge-1", true, null, 10, new Dictionary<string, double> { ["loss"] = 1 }) { Codec = "int8", Bytes = 2048 };

    private static readonly RoundClientView Adapted = Plain with
    {
        Choice = new LeaseChoice(4, 16, 60, 1000),
        Measured = new DeviceMeasurements { UpBytesPerSecond = 512, SecondsPerSample = 0.012, MemoryBytes = 1 << 30 },
    };

    [Fact]
    public async Task Clients_RoundThatAdapts_ShowsWhatWasChosenAndWhy()
    {
        var strange = Adapted with { Client = "edge-2", Choice = new LeaseChoice(1, 0, 0), Measured = null };
        using var shell = Shell(new FakeServer(), Adapted, strange);

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("run", "clients", "r", "--round", "2"));

        var lines = Lines(shell);
        Assert.Equal(["client", "samples", "codec", "sent", "epochs", "batch", "rests", "uplink", "s/sample", "memory", "not in the model because"], lines[0]);
        Assert.Equal(["edge-1", "10", "int8", "2.0 KiB", "4", "16", "60 s", "512 B/s", "1.2e-2", "1.0 GiB"], lines[1]);
        Assert.Equal(["edge-2", "10", "int8", "2.0 KiB", "1", "all", "0 s", "–", "–", "–"], lines[2]);
    }

    [Fact]
    public async Task Clients_RoundThatDoesNotAdapt_ShowsMeasuresAndRefusals()
    {
        var measured = Plain with { Metrics = new Dictionary<string, double> { ["before-accuracy"] = 0.25, ["after-accuracy"] = 0.5 } };
        using var shell = Shell(new FakeServer(), measured, Plain with { Client = "edge-2", Included = false, Reason = "not finite" });

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("run", "clients", "r", "--round", "2"));

        var lines = Lines(shell);
        Assert.Equal(["client", "samples", "codec", "sent", "before", "after", "not in the model because"], lines[0]);
        Assert.Equal(["edge-1", "10", "int8", "2.0 KiB", "0.2500", "0.5000"], lines[1]);
        Assert.Equal(["edge-2", "10", "int8", "2.0 KiB", "not finite"], lines[2]);
    }

    [Fact]
    public async Task Clients_NoRoundGiven_AsksForTheRunsCurrentOne()
    {
        using var shell = Shell(new FakeServer().On("GET runs/r", Views.Run(round: 2), Json.RunView), Plain);

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("run", "clients", "r"));

        Assert.Contains("edge-1", shell.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clients_Json_IsTheWholeListingOnOneLine()
    {
        using var shell = Shell(new FakeServer(), Adapted);

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("run", "clients", "r", "--round", "2", "--json"));

        var shown = Assert.Single(JsonSerializer.Deserialize(Assert.Single(shell.Output.TrimEnd().Split('\n')), Json.ListingRoundClientView)!.Items);
        Assert.Equal((Adapted.Choice, Adapted.Measured, "int8", 2048L), (shown.Choice, shown.Measured, shown.Codec, shown.Bytes!.Value));
    }

    [Fact]
    public async Task Clients_MoreThanAPage_AsksUntilNothingComes()
    {
        var server = new FakeServer().On("GET runs/r/rounds/2/clients?after=edge-1", new Listing<RoundClientView>([Plain with { Client = "edge-2" }]), Json.ListingRoundClientView)
            .On("GET runs/r/rounds/2/clients?after=edge-2", new Listing<RoundClientView>([]), Json.ListingRoundClientView)
            .On("GET runs/r/rounds/2/clients?after=", new Listing<RoundClientView>([Plain]), Json.ListingRoundClientView);
        using var shell = new TestShell(server);

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("run", "clients", "r", "--round", "2", "--json"));

        Assert.Equal(["edge-1", "edge-2"], JsonSerializer.Deserialize(shell.Output, Json.ListingRoundClientView)!.Items.Select(client => client.Client));
    }

    [Fact]
    public async Task Clients_NothingSealed_SaysSo()
    {
        using var shell = new TestShell(new FakeServer().On("GET runs/r/rounds/2/clients?after=", new Listing<RoundClientView>([]), Json.ListingRoundClientView));

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("run", "clients", "r", "--round", "2"));

        Assert.Equal("No update of round 2 is sealed yet.", shell.Output.Trim());
    }

    [Fact]
    public async Task Clients_ServerBeforeChoicesWereTold_ShowsDashes()
    {
        using var shell = Shell(new FakeServer(), Plain with { Codec = null, Bytes = null });

        await shell.RunAsync("run", "clients", "r", "--round", "2");

        Assert.Equal(["edge-1", "10", "–", "–"], Lines(shell)[1]);
    }

    [Fact]
    public async Task Clients_PrivateRound_TellsTheServersReason()
    {
        var refusal = new ProblemDetails("/problems/private-round", "A private round", 409, "A private round says nothing of single clients.");
        using var shell = new TestShell(new FakeServer().Refuse("GET runs/r/rounds/2/clients?after=", refusal));

        Assert.Equal(ExitCodes.Failure, await shell.RunAsync("run", "clients", "r", "--round", "2"));

        Assert.Contains("says nothing of single clients", shell.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_Help_ShowsTheAdaptOptions()
    {
        using var shell = new TestShell();

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("run", "start", "--help"));

        foreach (var option in (string[])["--adapt-epochs <MIN-MAX>", "--adapt-batch <MIN-MAX>", "--adapt-codecs <NAME,…>", "--adapt-target <TIME>", "--adapt-interval <TIME>", "--adapt-bytes-per-day <N>", "--min-part-bytes <N>"])
        {
            Assert.Contains(option, shell.Output, StringComparison.Ordinal);
        }
    }

    private static TestShell Shell(FakeServer server, params RoundClientView[] clients) => new(server
        .On("GET runs/r/rounds/2/clients?after=", new Listing<RoundClientView>(clients), Json.ListingRoundClientView)
        .On($"GET runs/r/rounds/2/clients?after={clients[^1].Client}", new Listing<RoundClientView>([]), Json.ListingRoundClientView));

    /// <summary>The table's lines without its rule, each in its cells.</summary>
    private static string[][] Lines(TestShell shell) =>
    [
        .. shell.Output.Split('\n').Where(line => line.Trim().Length > 0 && !line.Contains('─')).Select(line => line.Split("  ", StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)),
    ];
}
