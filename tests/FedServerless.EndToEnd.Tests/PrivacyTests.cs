using System.Text.Json;
using FedServerless.Activities.Privacy;
using FedServerless.Activities.State;
using FedServerless.Client;
using FedServerless.Privacy;
using FedServerless.Testing.Federation.Hosted;
using FedServerless.Testing.Storage;
using FedServerless.Wire;

namespace FedServerless.EndToEnd.Tests;

/// <summary>A private run over HTTP, with real clients.</summary>
public sealed class PrivacyTests
{
    private const int Clients = 3;

    [Fact]
    public async Task Run_Private_ClipsOnTheDeviceClaimsNothingChargesAndLeavesNothing()
    {
        KeepingStore? kept = null;
        await using var federation = await HostedFederation.StartedAsync(new HostedParts { Store = inner => kept = new KeepingStore(inner) });
        foreach (var i in Enumerable.Range(0, Clients))
        {
            (await federation.EnrolAsync($"client-{i:D3}", new FarTrainer())).Start();
        }

        var ledger = new PrivacyLedger(federation.Disk, TimeProvider.System);
        await ledger.SetBudgetAsync("default", new BudgetSetting(50, 1e-6, Clients), "officer", CancellationToken.None);
        await federation.Operator.StartRunAsync("run", Private(rounds: 2));
        var ended = await federation.Operator.WaitForEndAsync("run");

        Assert.Equal((RunStates.Completed, 2), (ended.State, ended.PublishedRounds));
        Assert.Equal(2, (await ledger.ReadAsync("default", CancellationToken.None)).Keys.Count(key => key.Value.Status == LedgerStatus.Charged));
        Assert.DoesNotContain(federation.Disk.Names, name => name.StartsWith("updates/", StringComparison.Ordinal));
        var receipts = kept!.Names.Where(name => name.Contains("/receipts/", StringComparison.Ordinal)).ToList();
        Assert.Equal(2 * Clients, receipts.Count);
        foreach (var receipt in receipts.Select(name => JsonSerializer.Deserialize(kept.Versions(name)[0], StoreJson.Default.ReceiptDocument)!.Receipt))
        {
            // The trainer says 500 samples and a loss; neither leaves the device.
            Assert.Equal((1L, false), (receipt.Samples, receipt.WithinClip));
            Assert.Empty(receipt.Metrics);
        }

        Assert.All(
            Accepted(kept, 1), update => Assert.True(update.Private!.Scale.Factor >= UpdateClip.Factor(1.000001, 1) / new UpdateGrid(1, UpdateGrid.BitsFor(27)).Step, "The device had not clipped."));
    }

    [Fact]
    public async Task Run_PrivateAndAClientAsksWhatBecameOfIt_IsToldAfterTheCloseToo()
    {
        await using var federation = await HostedFederation.StartedAsync();
        var client = await federation.EnrolAsync("client-000", new FarTrainer());
        client.Start();
        await new PrivacyLedger(federation.Disk, TimeProvider.System).SetBudgetAsync("default", new BudgetSetting(50, 1e-6, 1), "officer", CancellationToken.None);
        await federation.Operator.StartRunAsync("run", Private(rounds: 1));
        await federation.Operator.WaitForEndAsync("run");

        var round = await federation.Operator.RoundAsync("run", 1);

        Assert.Equal((1, 1, 1), (round.Cohort, round.Receipts, round.Accepted));
        Assert.Empty(round.Metrics);
    }

    private static IReadOnlyList<AcceptedUpdate> Accepted(KeepingStore kept, int round) =>
        JsonSerializer.Deserialize(kept.Versions(StoreNames.Accepted("run", round))[0], StoreJson.Default.AcceptedDocument)!.Accepted;

    private static RunSpec Private(int rounds) => Specs.Small(clients: 1, rounds) with
    {
        RetainUpdates = false,
        Round = new RoundSpec { DeadlineSeconds = 2 },
        Selection = new SelectionSpec { Kind = Selections.Poisson, Rate = 1, QuarantineAfter = 0 },
        Aggregation = new AggregationSpec { Weighting = Weightings.Uniform },
        Privacy = new PrivacySpec { Clients = Clients, NoiseMultiplier = 1, AdaptiveClip = new AdaptiveClipSpec { BitNoise = 1 } },
    };

    /// <summary>Moves every weight by 10: far outside any clip of 1.</summary>
    private sealed class FarTrainer : IFedTrainer
    {
        public ValueTask<FitResult> FitAsync(FitContext context, CancellationToken cancellationToken)
        {
            foreach (ref var value in context.Model.Parameters)
            {
                value += 10;
            }

            return ValueTask.FromResult(new FitResult(500, new Dictionary<string, double> { ["training-loss"] = 1 }));
        }

        public ValueTask<EvaluationResult> EvaluateAsync(EvaluateContext context, CancellationToken cancellationToken) =>
            ValueTask.FromResult(new EvaluationResult(500, 1, 0.5));
    }
}
