using FedServerless.Client.TorchSharp;
using FedServerless.Client.Training;
using static TorchSharp.torch;

namespace FedServerless.TorchSharp.Tests;

public sealed class TorchSamplesTests
{
    [Fact]
    public void Batch_OfLabelledSamples_HasTheRowsInOrder()
    {
        var samples = TorchSamples.Of(new LabelledSamples([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [2, 0, 1], 4, 3), 2, 2);

        var (inputs, targets) = samples.Batch([2, 0]);

        Assert.Equal([2, 2, 2], inputs.shape);
        Assert.Equal([8f, 9, 10, 11, 0, 1, 2, 3], inputs.data<float>().ToArray());
        Assert.Equal([1L, 2], targets.data<long>().ToArray());
    }

    [Fact]
    public void Of_TensorsThatDisagree_IsRefused() => Assert.Throws<ArgumentException>(() => TorchSamples.Of(ones(3, 2), ones(4)));

    [Fact]
    public void Of_NoSample_IsRefused() => Assert.Throws<ArgumentException>(() => TorchSamples.Of(ones(0, 2), ones(0)));

    [Fact]
    public void Of_ShapeOfAnotherSize_IsRefused() => Assert.Throws<ArgumentException>(() => TorchSamples.Of(Modules.Samples(), 2, 2));
}
