using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Testing.Federation.Hosted;
using FedServerless.Wire;

namespace FedServerless.EndToEnd.Tests;

/// <summary>A real model on real data across ten clients that talk to the host over HTTP only.</summary>
public sealed class DigitsTests(ITestOutputHelper output)
{
    private const int ClientCount = 10;

    [Fact]
    public async Task Run_TenClientsOverHttp_IsFedAvgInMemoryToTheLastByte()
    {
        var digits = new Digits(ClientCount);
        var spec = Digits.Spec(ClientCount, rounds: 4);

        var published = await TrainAsync(digits, spec, onDisk: false);

        var expected = await digits.TrainInMemoryAsync(spec);
        Assert.Equal(expected.Values, published.Values);
        var accuracy = digits.Accuracy(published);
        output.WriteLine($"Accuracy after {spec.Rounds} rounds: {accuracy:F4}");
        Assert.InRange(accuracy, 0.85, 1);
    }

    // The same devices, none of which was told: what to train is read off the model.
    [Fact]
    public async Task Run_ConvolutionsOverHttp_IsFedAvgInMemoryToTheLastByte()
    {
        var digits = new Digits(ClientCount);
        var spec = Digits.Spec(ClientCount, rounds: 4) with { Architecture = Digits.Conv };

        var published = await TrainAsync(digits, spec, onDisk: false);

        var expected = await digits.TrainInMemoryAsync(spec);
        Assert.Equal(expected.Values, published.Values);
        var accuracy = digits.Accuracy(published);
        output.WriteLine($"Accuracy after {spec.Rounds} rounds: {accuracy:F4}");
        Assert.InRange(accuracy, 0.5, 1);
    }

    [Fact]
    public async Task Run_OnFilesAndSqlite_IsTheSame()
    {
        var digits = new Digits(ClientCount);
        var spec = Digits.Spec(ClientCount, rounds: 2);

        var published = await TrainAsync(digits, spec, onDisk: true);

        Assert.Equal((await digits.TrainInMemoryAsync(spec)).Values, published.Values);
    }

    [Fact]
    public async Task Run_FullBatchOneEpoch_IsCentralGradientDescent()
    {
        var digits = new Digits(ClientCount);
        var training = new TrainingSpec { Epochs = 1, BatchSize = 0, LearningRate = 0.5 };
        var spec = Digits.Spec(ClientCount, rounds: 10) with { Training = training };

        var federated = await TrainAsync(digits, spec, onDisk: false);

        var central = Architectures.Initialize(spec.Architecture!, spec.Seed);
        new LocalSgd().Fit(new DenseClassifier(central.Layout, digits.Training), central, training with { Epochs = 10 }, seed: 2);
        Assert.All(central.Values.Zip(federated.Values), pair => Assert.Equal(pair.First, pair.Second, 2e-5f));
        Assert.Contains(central.Values, value => Math.Abs(value) > 0.1f);
    }

    private static async Task<ModelState> TrainAsync(Digits digits, RunSpec spec, bool onDisk)
    {
        await using var federation = await HostedFederation.StartedAsync(new HostedParts { OnDisk = onDisk });
        for (var i = 0; i < ClientCount; i++)
        {
            (await federation.EnrolAsync($"client-{i:D3}", LocalTrainer.BuiltIn(digits.Shares[i]))).Start();
        }

        await federation.Operator.StartRunAsync("run", spec);
        var run = await federation.Operator.WaitForEndAsync("run");
        Assert.Equal((RunStates.Completed, spec.Rounds), (run.State, run.PublishedRounds));
        return await Published.ReadAsync(federation.Host.Store, spec.Model, $"run-r{spec.Rounds}");
    }
}
