using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Orchestrations.Tests.Rounds;

/// <summary>PITFALLS 40: who found no <c>closing</c> was promised to count, so it is written before the claims are listed, never after.</summary>
public sealed class SealOrderTests
{
    private readonly InMemoryObjectStore _disk = new();

    [Fact]
    public async Task SealRound_CommitJustBeforeClosing_IsInTheSeal()
    {
        var clients = new SimulatedClients(_disk, 3) { Silent = { "client-002" } };
        var store = BeforeClosing(StoreNames.Closing(SimulatedFederation.RunId, 1), async token =>
        {
            clients.Silent.Clear();
            await clients.AnswerAsync(SimulatedFederation.RunId, 1, token);
        });
        await using var federation = new SimulatedFederation(_disk, clients, store);
        await SimulatedFederation.CreateAsync(_disk, SimulatedFederation.Spec());

        await federation.RunAsync();

        var seal = await _disk.GetAsync(StoreNames.Seal(SimulatedFederation.RunId, 1), StoreJson.Default.SealDocument, CancellationToken.None);
        Assert.Equal(clients.Ids, seal.Value.Receipts);
    }

    [Fact]
    public async Task SealEvaluation_PostJustBeforeClosing_IsInTheSeal()
    {
        var store = BeforeClosing(StoreNames.EvaluationClosing(SimulatedFederation.RunId, 1), token =>
        {
            var entry = new Evaluation("client-000", SimulatedFederation.RunId, 1, Digest.Of("version"u8), 5, new Dictionary<string, double>());
            return _disk.PutAsync(
                StoreNames.Evaluation(SimulatedFederation.RunId, 1, "client-000"), new EvaluationDocument(entry, "", "", ""),
                StoreJson.Default.EvaluationDocument, PutCondition.CreateOnce, token);
        });
        await using var federation = new SimulatedFederation(_disk, new SimulatedClients(_disk, 1), store);
        await SimulatedFederation.CreateAsync(_disk, SimulatedFederation.Spec() with { Evaluation = new EvaluationSpec() });

        await federation.Activities.SealEvaluation.RunAsync(new RoundInput(SimulatedFederation.RunId, 1), CancellationToken.None);

        var seal = await _disk.GetAsync(StoreNames.EvaluationSeal(SimulatedFederation.RunId, 1), StoreJson.Default.EvaluationSealDocument, CancellationToken.None);
        Assert.Equal(["client-000"], seal.Value.Clients);
    }

    private FaultInjectingStore BeforeClosing(string closing, Func<CancellationToken, Task> happens) => new(_disk)
    {
        Gate = (write, token) => write.Name == closing ? happens(token) : Task.CompletedTask,
    };
}
