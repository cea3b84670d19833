using FedServerless.Client;
using FedServerless.Client.TorchSharp;
using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Samples.Tests;
using FedServerless.Testing;
using FedServerless.Testing.Federation.Hosted;
using FedServerless.Wire;

namespace FedServerless.TorchSharp.Tests;

/// <summary>The sample's convolution net in a whole federation: the real host, the real SDK, libtorch on the devices.</summary>
public sealed class FederationTests
{
    private static readonly string DigitsFile = RepositoryRoot.Combine("samples", "digits", "optdigits.csv.gz");
    private static readonly LabelledSamples Digits = SampleFiles.ReadCsv(DigitsFile, 10, scale: 1.0 / 16);

    private static readonly RunSpec Spec = new()
    {
        Model = "net",
        Rounds = 3,
        Round = new RoundSpec { DeadlineSeconds = 100, Minimum = 1 },
        Training = new TrainingSpec { Epochs = 1, BatchSize = 16, LearningRate = 0.05, Momentum = 0.9 },
        Aggregation = new AggregationSpec { Weighting = "uniform" },
        Evaluation = new EvaluationSpec(),
    };

    [Theory]
    [InlineData("sgd", 0.9, 0.05, 0)]
    [InlineData("scaffold", 0, 0.2, 0)]
    [InlineData("feddyn", 0, 0.2, 0.01)]
    [InlineData("fednova", 0.9, 0.05, 0)]
    public async Task Run_ConvolutionsWithBatchNormUnderEverySolver_LearnTheDigits(string solver, double momentum, double rate, double mu)
    {
        await using var federation = await HostedFederation.StartedAsync();
        var training = Spec.Training with { Solver = solver, Momentum = momentum, LearningRate = rate, ProximalMu = mu };
        var model = await TrainAsync(federation, DigitTrainers.BuiltIn, Spec with { Training = training });

        Assert.InRange((await federation.Operator.RoundAsync("run", 3)).Metrics["eval.accuracy"], 0.85, 1);
        Assert.Equal(
            ["conv.weight", "conv.bias", "norm.weight", "norm.bias", "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"],
            model.Layout.Tensors.Take(8).Select(tensor => tensor.Name));

        // Three rounds of an epoch over 80 % of a third of 1797 samples by 16: 30 batches each.
        Assert.Equal([90], model.Integers);
        Assert.All(model.Buffers[16..].ToArray(), variance => Assert.InRange(variance, 0, float.MaxValue));
    }

    [Fact]
    public async Task Run_OwnLoopWithAdam_LearnsTheDigits()
    {
        await using var federation = await HostedFederation.StartedAsync();
        var spec = Spec with { Training = new TrainingSpec { LearningRate = 0.003 }, Evaluation = null };
        var model = await TrainAsync(federation, DigitTrainers.OwnLoop, spec);

        Assert.Equal([60], model.Integers);
        using var net = new DigitNet();
        var options = new TorchOptions { Names = DigitNet.Names };
        var measured = new TorchModel(Modules.Classifier(net), TorchSamples.Of(Digits, 1, 8, 8), model.Layout, options);
        Assert.InRange(measured.Evaluate(model, TestContext.Current.CancellationToken).Accuracy!.Value, 0.85, 1);
    }

    [Fact]
    public async Task TorchDigits_ItsModelAndItsClient_LearnTheDigits()
    {
        await using var federation = await HostedFederation.StartedAsync();
        var (folder, file) = (federation.Folder.Combine("torch"), federation.Folder.Combine("net.safetensors"));
        await using (var model = SampleProcess.Start("TorchDigits", folder, "model", file))
        {
            Assert.Equal(0, await model.ExitAsync());
        }

        await federation.Operator.PutModelAsync("net", await File.ReadAllBytesAsync(file));
        await using var client = SampleProcess.Start("TorchDigits", folder, "run", await federation.CodeAsync(), DigitsFile);
        await federation.Operator.StartRunAsync("run", Spec);
        await federation.Operator.WaitForEndAsync("run");

        Assert.InRange((await federation.Operator.RoundAsync("run", 3)).Metrics["eval.accuracy"], 0.85, 1);
        Assert.Equal(0, await client.SignalAsync("INT"));
    }

    private static async Task<ModelState> TrainAsync(HostedFederation federation, Func<DigitNet, LabelledSamples, IFedTrainer> trainer, RunSpec spec)
    {
        using DigitNet first = new(), second = new(), third = new();
        await federation.Operator.PutModelAsync("net", ModelStateFile.ToBytes(TorchModelFile.Read(first, DigitNet.Names)));
        foreach (var (net, index) in new[] { first, second, third }.Select((net, index) => (net, index)))
        {
            var own = Digits.Subset([.. Enumerable.Range(0, Digits.Count).Where(i => i % 3 == index)]);
            (await federation.EnrolAsync($"client-{index}", trainer(net, own))).Start();
        }

        await federation.Operator.StartRunAsync("run", spec with { Round = spec.Round with { Minimum = 3 } });
        var run = await federation.Operator.WaitForEndAsync("run");
        Assert.Equal((RunStates.Completed, 3), (run.State, run.PublishedRounds));
        foreach (var client in federation.Clients)
        {
            await client.StopAsync();
        }

        return await federation.PublishedAsync("net", "run-r3");
    }
}
