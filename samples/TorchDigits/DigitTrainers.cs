using FedServerless.Client;
using FedServerless.Client.TorchSharp;
using FedServerless.Client.Training;
using static TorchSharp.torch;

/// <summary>Ways to train the same module.</summary>
public static class DigitTrainers
{
    /// <summary>With the built-in local solver: epochs, batch size, rate, momentum, decay and FedProx as the operator sets them.</summary>
    public static IFedTrainer BuiltIn(DigitNet net, LabelledSamples samples)
    {
        #region torch-trainer
        var (training, heldOut) = samples.Split(heldOutShare: 0.2, seed: 1);
        var objective = new TorchObjective(net, (outputs, targets) => nn.functional.cross_entropy(outputs, targets));
        var options = new TorchOptions { Names = DigitNet.Names };
        var trainer = TorchTrainer.Create(objective, TorchSamples.Of(training, 1, 8, 8), TorchSamples.Of(heldOut, 1, 8, 8), options);
        #endregion
        return trainer;
    }

    /// <summary>With a loop of one's own.</summary>
    public static IFedTrainer OwnLoop(DigitNet net, LabelledSamples samples)
    {
        var data = TorchSamples.Of(samples, 1, 8, 8);
        #region torch-own-loop
        var trainer = TorchTrainer.Create(
            net,
            fit: (context, cancellationToken) =>
            {
                using var adam = optim.Adam(net.parameters(), lr: context.Training.LearningRate);
                var random = new Random((int)context.Seed);
                for (var step = 0; step < 20; step++)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    using var scope = NewDisposeScope();
                    var (inputs, targets) = data.Batch([.. Enumerable.Range(0, 64).Select(_ => random.Next(data.Count))]);
                    adam.zero_grad();
                    nn.functional.cross_entropy(net.call(inputs), targets).backward();
                    adam.step();
                }

                return new FitResult(data.Count);
            },
            options: new TorchOptions { Names = DigitNet.Names });
        #endregion
        return trainer;
    }

    /// <summary>With local differential privacy, for a module without buffers.</summary>
    public static IFedTrainer LocallyPrivate(TorchObjective objective, TorchSamples samples, DpSgdOptions privacy)
    {
        #region torch-local-privacy
        var trainer = new TorchTrainer(new DpSgdTrainer(TorchTrainer.Models(objective, samples), privacy));
        #endregion
        return trainer;
    }
}
