using FedServerless.Testing.Federation;
using FedServerless.Testing.Federation.Hosted;
using FedServerless.Wire;

namespace FedServerless.EndToEnd.Tests;

/// <summary>Whole federations: the real host, real clients, HTTP between them.</summary>
public sealed class FederationTests
{
    [Fact]
    public async Task Run_ThreeClientsTwoRounds_PublishesWhatTheSealedUpdatesMake()
    {
        await using var federation = await HostedFederation.StartedAsync();
        await federation.EnrolAndStartAsync(3);

        await federation.Operator.StartRunAsync("run", Specs.Small(clients: 3, rounds: 2));
        var run = await federation.Operator.WaitForEndAsync("run");

        Assert.Equal((RunStates.Completed, 2), (run.State, run.PublishedRounds));
        for (var round = 1; round <= 2; round++)
        {
            var view = await federation.Operator.RoundAsync("run", round);
            Assert.Equal((3, 3, "published"), (view.Receipts, view.Accepted, view.State));
            var expected = await Recomputation.OfRoundAsync(federation.Disk, new SimulatedClients(federation.Disk, 0), "run", round);
            var published = await Published.ReadAsync(federation.Disk, "digits", $"run-r{round}");
            Assert.Equal(expected.Values, published.Values);
        }
    }

    [Theory]
    [InlineData("top-k-int8", true)]
    [InlineData("random-k-int8", true)]
    [InlineData("ternary", false)]
    public async Task Run_UpdatesTravelCompressed_PublishesWhatTheServerDecodes(string codec, bool errorFeedback)
    {
        await using var federation = await HostedFederation.StartedAsync();
        await federation.EnrolAndStartAsync(3);
        var spec = Specs.Small(clients: 3, rounds: 2);
        var keeps = codec != "ternary";

        await federation.Operator.StartRunAsync("run", spec with { Update = spec.Update with { Codec = codec, Keep = keeps ? 0.05 : null, ErrorFeedback = errorFeedback } });
        var run = await federation.Operator.WaitForEndAsync("run");

        Assert.Equal((RunStates.Completed, 2), (run.State, run.PublishedRounds));
        var expected = await Recomputation.OfRoundAsync(federation.Disk, new SimulatedClients(federation.Disk, 0), "run", 2);
        Assert.Equal(expected.Values, (await Published.ReadAsync(federation.Disk, "digits", "run-r2")).Values);
    }
}
