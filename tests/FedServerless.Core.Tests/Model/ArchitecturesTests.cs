using System.Runtime.InteropServices;
using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Core.Tests.Model;

public sealed class ArchitecturesTests
{
    private static readonly ArchitectureSpec Mlp = new() { Name = Architectures.Mlp, Inputs = 64, Hidden = [32], Outputs = 10 };

    private static readonly ArchitectureSpec Softmax = new() { Name = Architectures.Softmax, Inputs = 64, Outputs = 10 };

    [Fact]
    public void Layout_Mlp_NamesLayersLikePyTorch()
    {
        var layout = Architectures.Layout(Mlp);

        Assert.Equal(["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"], layout.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([[32, 64], [32], [10, 32], [10]], layout.Tensors.Select(tensor => tensor.Shape.ToArray()));
        Assert.Equal([0L, 2048, 2080, 2400], layout.Offsets);
        Assert.Equal(2410, layout.ParameterCount);
        Assert.Equal(layout.ParameterCount, layout.FloatCount);
    }

    [Fact]
    public void Layout_Softmax_IsOneLayer()
    {
        var layout = Architectures.Layout(Softmax);

        Assert.Equal(["fc1.weight", "fc1.bias"], layout.Tensors.Select(tensor => tensor.Name));
        Assert.Equal(650, layout.ParameterCount);
    }

    [Fact]
    public void Layout_FedAvgPapers2NN_HasItsParameterCount() =>
        Assert.Equal(199_210, Architectures.Layout(Mlp with { Inputs = 784, Hidden = [200, 200] }).ParameterCount);

    [Theory]
    [InlineData(0, "4063f84b1cfe706b6fdf314c9fb183298ceda9593f67121ec559bbe328213681")]
    [InlineData(1, "cffdf0a56b45473f42c2bd803177e173053dbcc0358d268bac742bf0f622080b")]
    public void Initialize_Mlp_GivesTheBytesOfTheIndependentImplementation(long seed, string digest)
    {
        var model = Architectures.Initialize(Mlp, seed);

        Assert.Equal(digest, Digest.Of(MemoryMarshal.AsBytes<float>(model.Values)).ToString());
    }

    [Fact]
    public void Initialize_Mlp_StaysWithinTheFanInBoundOfEachLayer()
    {
        var model = Architectures.Initialize(Mlp, 3);

        Assert.All(model.Values[..2080], value => Assert.InRange(value, -0.125f, 0.125f));
        Assert.All(model.Values[2080..], value => Assert.InRange(value, -0.17678f, 0.17678f));
        Assert.Contains(model.Values[2080..], value => Math.Abs(value) > 0.125f);
    }

    [Fact]
    public void Initialize_Softmax_IsAllZeros() => Assert.All(Architectures.Initialize(Softmax, 5).Values, value => Assert.Equal(0, value));

    [Fact]
    public void Validate_EverythingWrong_ReportsEveryProblemAtOnce()
    {
        var problems = Architectures.Validate(
            new ArchitectureSpec { Name = "cnn", Inputs = 0, Hidden = [0, 8], Outputs = 1 }, "run.architecture");

        Assert.Equal(
            ["run.architecture.name", "run.architecture.inputs", "run.architecture.outputs", "run.architecture.hidden[0]"],
            problems.Select(problem => problem.Field));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(Architectures.MaxInputs, true)]
    [InlineData(Architectures.MaxInputs + 1, false)]
    public void Validate_Inputs_HoldsItsLimits(int inputs, bool legal) =>
        Assert.Equal(legal, Architectures.Validate(Softmax with { Inputs = inputs }).Count == 0);

    [Theory]
    [InlineData(Architectures.MinOutputs - 1, false)]
    [InlineData(Architectures.MinOutputs, true)]
    [InlineData(Architectures.MaxWidth, true)]
    [InlineData(Architectures.MaxWidth + 1, false)]
    public void Validate_Outputs_HoldsItsLimits(int outputs, bool legal) =>
        Assert.Equal(legal, Architectures.Validate(Softmax with { Outputs = outputs }).Count == 0);

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(Architectures.MaxWidth, true)]
    [InlineData(Architectures.MaxWidth + 1, false)]
    public void Validate_HiddenWidth_HoldsItsLimits(int width, bool legal) =>
        Assert.Equal(legal, Architectures.Validate(Mlp with { Hidden = [width] }).Count == 0);

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(Architectures.MaxHiddenLayers, true)]
    [InlineData(Architectures.MaxHiddenLayers + 1, false)]
    public void Validate_HiddenLayers_HoldsItsLimits(int layers, bool legal) =>
        Assert.Equal(legal, Architectures.Validate(Mlp with { Hidden = [.. Enumerable.Repeat(4, layers)] }).Count == 0);

    [Fact]
    public void Validate_SoftmaxWithAHiddenLayer_IsRefused() =>
        Assert.Equal("architecture.hidden", Assert.Single(Architectures.Validate(Softmax with { Hidden = [8] })).Field);

    [Fact]
    public void Validate_MoreParametersThanAModelHolds_IsRefused()
    {
        // 16 383 inputs and 65 536 outputs, with biases: exactly 2³⁰ parameters.
        var largest = Softmax with { Inputs = 16_383, Outputs = 65_536 };

        Assert.Empty(Architectures.Validate(largest));
        Assert.Equal("architecture", Assert.Single(Architectures.Validate(largest with { Inputs = 16_384 })).Field);
    }

    [Fact]
    public void Layout_IllegalSpec_ThrowsWithTheField()
    {
        var failure = Assert.Throws<ArgumentException>(() => Architectures.Layout(Softmax with { Outputs = 1 }));

        Assert.Contains("architecture.outputs is '1'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LayerWidths_Mlp_RunsFromInputsToOutputs() => Assert.Equal([64, 32, 10], Architectures.LayerWidths(Mlp));

    [Theory]
    [InlineData("softmax", new int[0])]
    [InlineData("mlp", new[] { 300, 70 })]
    public void OpenInitial_ReadInPiecesOfAnyLength_IsTheFileOfInitialize(string name, int[] hidden)
    {
        var spec = new ArchitectureSpec { Name = name, Inputs = 64, Hidden = hidden, Outputs = 10 };
        var expected = ModelStateFile.ToBytes(Architectures.Initialize(spec, 5));
        foreach (var length in new[] { 1000, 65_536, 1 << 20 })
        {
            using var stream = Architectures.OpenInitial(spec, 5);
            Assert.Equal(expected.Length, stream.Length);
            var read = new MemoryStream();
            stream.CopyTo(read, length);
            Assert.True(expected.AsSpan().SequenceEqual(read.ToArray()));
        }
    }
}
