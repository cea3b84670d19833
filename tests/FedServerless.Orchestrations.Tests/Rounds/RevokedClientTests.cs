using FedServerless.Activities.Clients;
using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Orchestrations.Tests.Rounds;

/// <summary>A client that was revoked after it committed: its receipt stays in the seal, its update stays out of the model.</summary>
public sealed class RevokedClientTests : IAsyncLifetime
{
    private const string Revoked = "client-001";

    private static readonly RoundInput Round = new(SimulatedFederation.RunId, 1);

    private readonly InMemoryObjectStore _disk = new();

    private SimulatedFederation _federation = null!;

    public async ValueTask InitializeAsync()
    {
        _federation = new SimulatedFederation(_disk, new SimulatedClients(_disk, 3));
        await SimulatedFederation.CreateAsync(_disk, SimulatedFederation.Spec());
    }

    [Fact]
    public async Task RunAsync_RevokedBeforeTheSeal_RefusesTheUpdate()
    {
        await RevokeAsync(Revoked);

        await _federation.RunAsync();

        var (seal, accepted) = await DecidedAsync();
        Assert.Equal([Revoked], seal.Revoked);
        Assert.Equal(3, seal.Receipts.Count);
        Assert.Equal(["client-000", "client-002"], accepted.Accepted.Select(update => update.Client));
        var refusal = Assert.Single(accepted.Refused);
        Assert.Equal((Revoked, "the client was revoked before the round was sealed"), (refusal.Client, refusal.Reason));
    }

    [Fact]
    public async Task RunAsync_RevokedAfterTheSeal_ChangesNothing()
    {
        await Plans.ReplaceAsync(_federation, plan => plan);
        await _federation.Activities.OpenRound.RunAsync(Round, CancellationToken.None);
        await _federation.Clients.AnswerAsync(Round.Run, 1, CancellationToken.None);
        await _federation.Activities.SealRound.RunAsync(Round, CancellationToken.None);
        await RevokeAsync(Revoked);

        await _federation.RunRoundAsync();

        var (seal, accepted) = await DecidedAsync();
        Assert.Null(seal.Revoked);
        Assert.Equal(3, accepted.Accepted.Count);
    }

    [Fact]
    public async Task SealEvaluation_RevokedClient_IsLeftOut()
    {
        foreach (var client in (string[])["client-000", Revoked])
        {
            var entry = new Evaluation(client, Round.Run, 1, Digest.Of("version"u8), 5, new Dictionary<string, double> { ["accuracy"] = client == Revoked ? 1 : 0.5 });
            await _disk.PutAsync(
                StoreNames.Evaluation(Round.Run, 1, client), new EvaluationDocument(entry, "", "", ""), StoreJson.Default.EvaluationDocument,
                PutCondition.CreateOnce, CancellationToken.None);
        }

        await RevokeAsync(Revoked);

        await _federation.Activities.SealEvaluation.RunAsync(Round, CancellationToken.None);

        var seal = await _disk.GetAsync(StoreNames.EvaluationSeal(Round.Run, 1), StoreJson.Default.EvaluationSealDocument, CancellationToken.None);
        Assert.Equal(["client-000"], seal.Value.Clients);
        Assert.Equal(0.5, seal.Value.Metrics["accuracy"]);
    }

    public ValueTask DisposeAsync() => _federation.DisposeAsync();

    private Task<PutResult> RevokeAsync(string client) => _disk.PutAsync(
        StoreNames.Client(client), new ClientDocument(client, "default", "", "", "", DateTimeOffset.UnixEpoch, ClientStates.Revoked, 2),
        ClientJson.Default.ClientDocument, PutCondition.CreateOnce, CancellationToken.None);

    private async Task<(SealDocument Seal, AcceptedDocument Accepted)> DecidedAsync()
    {
        var seal = await _disk.GetAsync(StoreNames.Seal(Round.Run, 1), StoreJson.Default.SealDocument, CancellationToken.None);
        var accepted = await _disk.GetAsync(StoreNames.Accepted(Round.Run, 1), StoreJson.Default.AcceptedDocument, CancellationToken.None);
        return (seal.Value, accepted.Value);
    }
}
