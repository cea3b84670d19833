using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Client.Tests.Training;

/// <summary>Training reaches what the literature's implementations reach on the same samples and settings.</summary>
public sealed class FederatedDigitsTests
{
    private static readonly TrainingSpec FiveEpochs = new() { Epochs = 5, BatchSize = 32, LearningRate = 0.1 };

    [Theory]
    [InlineData(new[] { 64, 10 }, 0.92)]
    [InlineData(new[] { 64, 32, 10 }, 0.94)]
    public async Task Train_TenIidClientsThirtyRounds_ReachesTheReferenceAccuracy(int[] widths, double least)
    {
        var (training, heldOut) = TrainingSamples.Digits.Split(0.2, seed: 1);
        var clients = Partition.Iid(training.Count, 10, seed: 1).Select(indices => training.Subset(indices)).ToArray();

        var model = await InMemoryFederation.TrainAsync(TrainingSamples.Spec(widths), clients, FiveEpochs, rounds: 30, seed: 1);

        var result = new DenseClassifier(model.Layout, heldOut).Evaluate(model, CancellationToken.None);
        TestContext.Current.SendDiagnosticMessage($"{string.Join('-', widths)}: accuracy {result.Accuracy:F4}, loss {result.Loss:F4}");
        Assert.InRange(result.Accuracy!.Value, least, 1);
    }

    [Fact]
    public async Task Train_ConvTenIidClientsThirtyRounds_BeatsThePerceptron()
    {
        var (training, heldOut) = TrainingSamples.Digits.Split(0.2, seed: 1);
        var clients = Partition.Iid(training.Count, 10, seed: 1).Select(indices => training.Subset(indices)).ToArray();

        var model = await InMemoryFederation.TrainAsync(ConvSamples.DigitsNet, clients, FiveEpochs, rounds: 30, seed: 1);

        var result = new ConvClassifier(model.Layout, heldOut).Evaluate(model, CancellationToken.None);
        TestContext.Current.SendDiagnosticMessage($"conv: accuracy {result.Accuracy:F4}, loss {result.Loss:F4}");
        Assert.InRange(result.Accuracy!.Value, 0.96, 1);
    }

    [Theory]
    [InlineData(new[] { 64, 10 })]
    [InlineData(new[] { 64, 32, 10 })]
    public async Task Train_FullBatchOneEpoch_IsCentralGradientDescent(int[] widths)
    {
        // Unequal clients on purpose: the weights nₖ/n make the mean of their gradients the gradient of the whole.
        var digits = TrainingSamples.Digits;
        var clients = Partition.Dirichlet(digits.Labels, 7, 0.5, seed: 3).Select(indices => digits.Subset(indices)).ToArray();
        var training = new TrainingSpec { Epochs = 1, BatchSize = 0, LearningRate = 0.5 };

        var federated = await InMemoryFederation.TrainAsync(TrainingSamples.Spec(widths), clients, training, rounds: 20, seed: 2);

        var central = Architectures.Initialize(TrainingSamples.Spec(widths), 2);
        new LocalSgd().Fit(new DenseClassifier(central.Layout, digits), central, training with { Epochs = 20 }, seed: 2);
        Assert.All(central.Values.Zip(federated.Values), pair => Assert.Equal(pair.First, pair.Second, 2e-5f));
        Assert.Contains(central.Values, value => Math.Abs(value) > 0.1f);
    }
}
