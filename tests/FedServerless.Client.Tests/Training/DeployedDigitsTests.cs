using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Client.Tests.Training;

/// <summary>What pruning and bytes cost built-in models on the demo's digits.</summary>
public sealed class DeployedDigitsTests
{
    [Fact]
    public void Deploy_TrainedOnDigits_KeepsItsAccuracy() => Deploy(TrainingSamples.Spec(64, 32, 10));

    [Fact]
    public void Deploy_ConvTrainedOnDigits_KeepsItsAccuracy() => Deploy(ConvSamples.DigitsNet);

    private static void Deploy(ArchitectureSpec spec)
    {
        var (training, heldOut) = TrainingSamples.Digits.Split(0.2, seed: 1);
        var model = Architectures.Initialize(spec, 1);
        new LocalSgd().Fit(BuiltInModel.Bind(model.Layout, training), model, new TrainingSpec { Epochs = 20, LearningRate = 0.1 }, seed: 1);
        var whole = Accuracy(model);
        var bytes = Accuracy(QuantisedModelFile.Reconstruct(model));
        ModelPruning.Prune(model, 0.5);
        var half = Accuracy(model);
        TestContext.Current.SendDiagnosticMessage($"float32 {whole:F4}, int8 {bytes:F4}, half of the weights zero {half:F4}");

        Assert.InRange(bytes, whole - 0.005, 1);
        Assert.InRange(half, whole - 0.05, 1);

        double Accuracy(ModelState state) => BuiltInModel.Bind(state.Layout, heldOut).Evaluate(state, CancellationToken.None).Accuracy!.Value;
    }
}
