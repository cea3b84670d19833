using FedServerless.Activities.State;
using FedServerless.Client;
using FedServerless.Client.TorchSharp;
using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Testing;
using FedServerless.Testing.Federation.Hosted;
using FedServerless.Wire;

namespace FedServerless.TorchSharp.Tests;

/// <summary>The sample's convolution net in a whole federation: the real host, the real SDK, libtorch on the devices.</summary>
public sealed class FederationTests
{
    private static readonly LabelledSamples Digits =
        SampleFiles.ReadCsv(RepositoryRoot.Combine("samples", "digits", "optdigits.csv.gz"), 10, scale: 1.0 / 16);

    [Fact]
    public async Task Run_ConvolutionsWithBatchNorm_LearnTheDigits()
    {
        var (run, model, accuracy) = await TrainAsync(DigitTrainers.BuiltIn, new TrainingSpec { Epochs = 1, BatchSize = 16, LearningRate = 0.05, Momentum = 0.9 });

        Assert.Equal((RunStates.Completed, 3), (run.State, run.PublishedRounds));
        Assert.InRange(accuracy!.Value, 0.85, 1);
        Assert.Equal(["conv.weight", "conv.bias", "norm.weight", "norm.bias", "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"], model.Layout.Tensors.Take(8).Select(tensor => tensor.Name));

        // Three rounds of an epoch over 80 % of a third of 1797 samples by 16: 30 batches each, the largest client's count is what counts.
        Assert.Equal([90], model.Integers);
        Assert.All(model.Buffers[16..].ToArray(), variance => Assert.InRange(variance, 0, float.MaxValue));
    }

    [Fact]
    public async Task Run_OwnLoopWithAdam_LearnsTheDigits()
    {
        var (run, model, _) = await TrainAsync(DigitTrainers.OwnLoop, new TrainingSpec { LearningRate = 0.003 });

        Assert.Equal((RunStates.Completed, 3), (run.State, run.PublishedRounds));
        Assert.Equal([60], model.Integers);
        using var net = new DigitNet();
        TorchModelFile.Load(net, model, DigitNet.Names);
        var measured = new TorchModel(Modules.Classifier(net), TorchSamples.Of(Digits, 1, 8, 8), model.Layout, new TorchOptions { Names = DigitNet.Names });
        Assert.InRange(measured.Evaluate(model, TestContext.Current.CancellationToken).Accuracy!.Value, 0.85, 1);
    }

    private static async Task<(RunView Run, ModelState Model, double? Accuracy)> TrainAsync(
        Func<DigitNet, LabelledSamples, IFedTrainer> trainer, TrainingSpec training)
    {
        await using var federation = await HostedFederation.StartedAsync();
        using DigitNet first = new(), second = new(), third = new();
        await federation.Operator.PutModelAsync("net", ModelStateFile.ToBytes(TorchModelFile.Read(first, DigitNet.Names)));
        foreach (var (net, index) in new[] { first, second, third }.Select((net, index) => (net, index)))
        {
            var own = Digits.Subset([.. Enumerable.Range(0, Digits.Count).Where(i => i % 3 == index)]);
            (await federation.EnrolAsync($"client-{index}", trainer(net, own))).Start();
        }

        var evaluates = training.Momentum > 0;
        await federation.Operator.StartRunAsync("run", new RunSpec
        {
            Model = "net",
            Rounds = 3,
            Round = new RoundSpec { DeadlineSeconds = 100, Minimum = 3 },
            Training = training,
            Evaluation = evaluates ? new EvaluationSpec() : null,
        });
        var run = await federation.Operator.WaitForEndAsync("run");
        var manifest = await federation.Disk.GetAsync(StoreNames.Manifest("net", "run-r3"), StoreJson.Default.ModelManifest, CancellationToken.None);
        var file = await federation.Disk.FindBytesAsync(manifest.Value.Weights.Object, CancellationToken.None);
        double? accuracy = evaluates ? (await federation.Operator.RoundAsync("run", 3)).Metrics["eval.accuracy"] : null;
        return (run, ModelStateFile.Read(file!.Value.Content), accuracy);
    }
}
