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

    [Fact] // PITFALLS 37, 39: by evaluation samples, and nobody claims more of them than the cap.
    public async Task SealEvaluation_InflatedSamples_WeighAtMostTheCap()
    {
        await using var federation = new SimulatedFederation(_disk, new SimulatedClients(_disk, 3));
        await SimulatedFederation.CreateAsync(_disk, SimulatedFederation.Spec() with { Aggregation = new AggregationSpec { MaxSamples = 30 }, Evaluation = new EvaluationSpec() });
        await WriteAsync(1, "client-000", 10, 1);
        await WriteAsync(1, "client-001", long.MaxValue, 3);
        await WriteAsync(1, "client-002", long.MaxValue, 3);

        var seal = await SealAsync(federation, 1, null);

        // (10·1 + 30·3 + 30·3)/70.
        Assert.Equal(190.0 / 70, seal.Metrics["loss"], 1e-12);
        Assert.Equal(70, seal.Samples);
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
            await WriteAsync(round, "client-000", 5, value);
        }

        await federation.Activities.SealEvaluation.RunAsync(new RoundInput(SimulatedFederation.RunId, round), CancellationToken.None);
        var name = StoreNames.EvaluationSeal(SimulatedFederation.RunId, round);
        return (await _disk.GetAsync(name, StoreJson.Default.EvaluationSealDocument, CancellationToken.None)).Value;
    }

    private Task WriteAsync(int round, string client, long samples, double loss)
    {
        var entry = new Evaluation(client, SimulatedFederation.RunId, round, Digest.Of("version"u8), samples, new Dictionary<string, double> { ["loss"] = loss });
        return _disk.PutAsync(
            StoreNames.Evaluation(SimulatedFederation.RunId, round, client), new EvaluationDocument(entry, "", "", ""),
            StoreJson.Default.EvaluationDocument, PutCondition.CreateOnce, CancellationToken.None);
    }
}
