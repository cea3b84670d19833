using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Orchestrations.Tests.Rounds;

public sealed class EvaluationSealTests
{
    private readonly InMemoryObjectStore _disk = new();

    [Fact]
    public async Task SealEvaluation_LossNotBetter_CountsTowardsPatience()
    {
        await using var federation = await EvaluatedAsync(1.0);

        Assert.Equal(1, (await SealAsync(federation, 2, 1.5)).SinceBest);
    }

    [Fact]
    public async Task SealEvaluation_NobodyEvaluates_SaysNothingAboutTheLoss()
    {
        await using var federation = await EvaluatedAsync(1.0);

        var seal = await SealAsync(federation, 2, null);

        Assert.Equal((1.0, 0), (seal.BestLoss, seal.SinceBest));
        var spec = new EvaluationSpec { Patience = 1 };
        Assert.Null(await StoppingRules.FindAsync(_disk, SimulatedFederation.RunId, 2, spec, CancellationToken.None));
    }

    private async Task<SimulatedFederation> EvaluatedAsync(double loss)
    {
        var federation = new SimulatedFederation(_disk, new SimulatedClients(_disk, 1));
        await SimulatedFederation.CreateAsync(_disk, SimulatedFederation.Spec() with { Evaluation = new EvaluationSpec { Patience = 1 } });
        Assert.Equal(0, (await SealAsync(federation, 1, loss)).SinceBest);
        return federation;
    }

    private async Task<EvaluationSealDocument> SealAsync(SimulatedFederation federation, int round, double? loss)
    {
        if (loss is { } value)
        {
            var entry = new Evaluation("client-000", SimulatedFederation.RunId, round, Digest.Of("version"u8), 5, new Dictionary<string, double> { ["loss"] = value });
            await _disk.PutAsync(
                StoreNames.Evaluation(SimulatedFederation.RunId, round, "client-000"), new EvaluationDocument(entry, "", "", ""),
                StoreJson.Default.EvaluationDocument, PutCondition.CreateOnce, CancellationToken.None);
        }

        await federation.Activities.SealEvaluation.RunAsync(new RoundInput(SimulatedFederation.RunId, round), CancellationToken.None);
        var name = StoreNames.EvaluationSeal(SimulatedFederation.RunId, round);
        return (await _disk.GetAsync(name, StoreJson.Default.EvaluationSealDocument, CancellationToken.None)).Value;
    }
}
