using System.Runtime.InteropServices;
using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Core.Tests.Model;

public sealed class ConvArchitectureTests
{
    /// <summary>The CNN of McMahan et al. 2017 (arXiv:1602.05629, section 3).</summary>
    private static readonly ArchitectureSpec FedAvgCnn = Spec(28, 28, 1, [(32, 5), (64, 5)], [512], 10);

    private static readonly ArchitectureSpec Small = Spec(8, 8, 2, [(3, 5), (4, 3)], [6], 3);

    private static readonly ArchitectureSpec[] Legal =
    [
        FedAvgCnn,
        Small,
        Spec(2, 2, 1, [(1, 1)], [], 2),
        Spec(256, 256, 1, [.. Enumerable.Repeat((1, 7), 8)], [4, 5, 6], 2),
        Spec(4, 2, 5, [(7, 3)], [3], 2),
        new() { Name = Architectures.Softmax, Inputs = 4, Outputs = 2 },
        new() { Name = Architectures.Mlp, Inputs = 4, Hidden = [3, 5], Outputs = 2 },
    ];

    [Fact]
    public void Layout_FedAvgPapersCnn_HasItsParameterCount() => Assert.Equal(1_663_370, Architectures.Layout(FedAvgCnn).ParameterCount);

    [Fact]
    public void Layout_Conv_NamesLayersLikePyTorchAndKeepsTheImagesSize()
    {
        var layout = Architectures.Layout(Small with { Image = new ImageSpec { Height = 8, Width = 16, Channels = 2 }, Inputs = 256 });

        Assert.Equal(
            ["conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"],
            layout.Tensors.Select(tensor => tensor.Name));
        Assert.Equal(
            [[3, 2, 5, 5], [3], [4, 3, 3, 3], [4], [6, 4, 2, 4], [6], [3, 6], [3]],
            layout.Tensors.Select(tensor => tensor.Shape.ToArray()));
        Assert.Equal(layout.ParameterCount, layout.FloatCount);
    }

    // Computed from the documentation alone by a program of twenty lines, which gives the digests of the perceptron's test too.
    [Theory]
    [InlineData(0, "db4065fe5968a8e74dd755afcff87a2a0eb5a5661b1e8d4791b0f29c1185b67d")]
    [InlineData(1, "673e8820903dbb732ab675ada3a411dec943fedad3a58a96bb3047d9d826abfd")]
    public void Initialize_Conv_GivesTheBytesOfTheIndependentImplementation(long seed, string digest) =>
        Assert.Equal(digest, Digest.Of(MemoryMarshal.AsBytes<float>(Architectures.Initialize(Small, seed).Values)).ToString());

    [Fact]
    public void OpenInitial_Conv_IsTheFileOfInitialize()
    {
        using var stream = Architectures.OpenInitial(Small, 5);
        var read = new MemoryStream();
        stream.CopyTo(read, 1000);

        Assert.Equal(ModelStateFile.ToBytes(Architectures.Initialize(Small, 5)), read.ToArray());
    }

    [Fact]
    public void LayerWidths_Conv_BeginAtWhatTheLastBlockMakes()
    {
        Assert.Equal([7 * 7 * 64, 512, 10], Architectures.LayerWidths(FedAvgCnn));
        Assert.Equal([new ConvShape(28, 28, 1, 32, 5), new ConvShape(14, 14, 32, 64, 5)], Architectures.ConvShapes(FedAvgCnn));
        Assert.Empty(Architectures.ConvShapes(new ArchitectureSpec { Name = Architectures.Softmax, Inputs = 4, Outputs = 2 }));
    }

    [Fact]
    public void TryRead_LayoutOfALegalSpec_GivesItBack() => Assert.All(Legal, spec =>
    {
        Assert.True(Architectures.TryRead(Architectures.Layout(spec), out var read));

        Assert.Equal((spec.Name, spec.Inputs, spec.Image, spec.Outputs), (read.Name, read.Inputs, read.Image, read.Outputs));
        Assert.Equal(spec.Convolutions, read.Convolutions);
        Assert.Equal(spec.Hidden, read.Hidden);
    });

    // Each differs from a legal layout in one thing.
    [Theory]
    [InlineData("conv1.weight", new[] { 3, 1, 3, 3 }, "conv2.weight", new[] { 4, 3, 3, 3 }, new[] { 5, 4, 2, 2 }, true)]
    [InlineData("conv1.weight", new[] { 3, 1, 3, 5 }, "conv2.weight", new[] { 4, 3, 3, 3 }, new[] { 5, 4, 2, 2 }, false)]
    [InlineData("conv1.weight", new[] { 3, 1, 2, 2 }, "conv2.weight", new[] { 4, 3, 3, 3 }, new[] { 5, 4, 2, 2 }, false)]
    [InlineData("conv1.weight", new[] { 3, 1, 3, 3 }, "conv2.weight", new[] { 4, 2, 3, 3 }, new[] { 5, 4, 2, 2 }, false)]
    [InlineData("conv1.weight", new[] { 3, 1, 3, 3 }, "conv3.weight", new[] { 4, 3, 3, 3 }, new[] { 5, 4, 2, 2 }, false)]
    [InlineData("convolution", new[] { 3, 1, 3, 3 }, "conv2.weight", new[] { 4, 3, 3, 3 }, new[] { 5, 4, 2, 2 }, false)]
    [InlineData("conv1.weight", new[] { 3, 1, 3, 3 }, "conv2.weight", new[] { 4, 3, 3, 3 }, new[] { 5, 16 }, false)]
    [InlineData("conv1.weight", new[] { 3, 1, 3, 3 }, "conv2.weight", new[] { 4, 3, 3, 3 }, new[] { 5, 3, 2, 2 }, false)]
    [InlineData("conv1.weight", new[] { 3, 1, 3, 3 }, "conv2.weight", new[] { 4, 3, 3, 3 }, new[] { 5, 4, 2, 1 << 24 }, false)]
    [InlineData("conv1.weight", new[] { 3, 1, 3, 3 }, "conv2.weight", new[] { 4, 3, 3, 3 }, new[] { 1, 4, 2, 2 }, false)]
    [InlineData("conv1.weight", new[] { 3, 1, 3, 3 }, "conv2.weight", new[] { 4 }, new[] { 5, 4, 2, 2 }, false)]
    public void TryRead_HostileLayouts_AreNone(string first, int[] firstShape, string second, int[] secondShape, int[] layer, bool legal)
    {
        var layout = TensorLayout.Create(
        [
            new TensorSpec(first, firstShape, TensorRole.Parameter),
            new TensorSpec("conv1.bias", [firstShape[0]], TensorRole.Parameter),
            new TensorSpec(second, secondShape, TensorRole.Parameter),
            new TensorSpec("conv2.bias", [secondShape[0]], TensorRole.Parameter),
            new TensorSpec("fc1.weight", layer, TensorRole.Parameter),
            new TensorSpec("fc1.bias", [layer[0]], TensorRole.Parameter),
        ]);

        Assert.Equal(legal, Architectures.TryRead(layout, out _));
    }

    [Fact]
    public void TryRead_OneTensor_IsNone()
    {
        Assert.False(Architectures.TryRead(TensorLayout.Create([new TensorSpec("conv1.weight", [2, 1, 3, 3], TensorRole.Parameter)]), out _));
        Assert.False(Architectures.TryRead(TensorLayout.Create([new TensorSpec("fc1.weight", [2, 3], TensorRole.Parameter)]), out _));
    }

    [Fact]
    public void Validate_EverythingWrong_ReportsEveryProblemAtOnce()
    {
        var problems = Architectures.Validate(Spec(7, 9, 0, [(0, 4), (1, 3)], [0], 1), "run.architecture");

        Assert.Equal(
            [
                "run.architecture.inputs", "run.architecture.outputs", "run.architecture.hidden[0]", "run.architecture.convolutions[0].channels",
                "run.architecture.convolutions[0].kernel", "run.architecture.image.height", "run.architecture.image.width", "run.architecture.image.channels",
            ],
            problems.Select(problem => problem.Field));
        Assert.Contains("a multiple of 4 up to 1024, halved after each of 2 convolutions", problems[5].ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(Architectures.MaxKernel, true)]
    [InlineData(Architectures.MaxKernel + 1, false)]
    [InlineData(Architectures.MaxKernel + 2, false)]
    public void Validate_Kernel_IsOddAndHoldsItsLimit(int kernel, bool legal) => AssertLegal(legal, Spec(4, 4, 1, [(2, kernel)], [], 2));

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(Architectures.MaxChannels, true)]
    [InlineData(Architectures.MaxChannels + 1, false)]
    public void Validate_Channels_HoldTheirLimits(int channels, bool legal)
    {
        AssertLegal(legal, Spec(2, 2, 1, [(channels, 1)], [], 2));
        AssertLegal(legal, Spec(2, 2, channels, [(1, 1)], [], 2));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(2, true)]
    [InlineData(3, false)]
    [InlineData(Architectures.MaxSide, true)]
    [InlineData(Architectures.MaxSide + 1, false)]
    [InlineData(Architectures.MaxSide + 2, false)]
    public void Validate_Sides_AreHalvedAndHoldTheirLimit(int side, bool legal)
    {
        AssertLegal(legal, Spec(side, 2, 1, [(1, 1)], [], 2));
        AssertLegal(legal, Spec(2, side, 1, [(1, 1)], [], 2));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(Architectures.MaxConvolutions, true)]
    [InlineData(Architectures.MaxConvolutions + 1, false)]
    public void Validate_Blocks_HoldTheirLimits(int convolutions, bool legal) =>
        AssertLegal(legal, Spec(512, 512, 1, [.. Enumerable.Repeat((1, 1), convolutions)], [], 2));

    [Theory]
    [InlineData(0, true)]
    [InlineData(Architectures.MaxHiddenLayers, true)]
    [InlineData(Architectures.MaxHiddenLayers + 1, false)]
    public void Validate_HiddenLayers_HoldTheirLimits(int layers, bool legal) =>
        AssertLegal(legal, Spec(2, 2, 1, [(1, 1)], [.. Enumerable.Repeat(3, layers)], 2));

    [Theory]
    [InlineData(63, false)]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void Validate_Inputs_AreTheImage(int inputs, bool legal) =>
        AssertLegal(legal, Spec(8, 8, 1, [(1, 1)], [], 2) with { Inputs = inputs });

    // 512 · 512 · (1 + 63) is 2²⁴, all that a sample may take between the layers.
    [Theory]
    [InlineData(62, true)]
    [InlineData(63, true)]
    [InlineData(64, false)]
    public void Validate_ValuesOfASample_HoldTheirLimit(int channels, bool legal) => AssertLegal(legal, Spec(512, 512, 1, [(channels, 1)], [], 2));

    [Fact]
    public void Validate_MoreParametersThanAModelHolds_IsRefused() =>
        Assert.Equal("architecture", Assert.Single(Architectures.Validate(Spec(64, 64, 1, [(1024, 1)], [1024], 2))).Field);

    [Fact]
    public void Validate_PartsOfAnotherArchitecture_AreRefused()
    {
        var mlp = new ArchitectureSpec { Name = Architectures.Mlp, Inputs = 4, Hidden = [3], Outputs = 2 };

        Assert.Equal("architecture.image", Assert.Single(Architectures.Validate(mlp with { Image = Small.Image })).Field);
        Assert.Equal("architecture.convolutions", Assert.Single(Architectures.Validate(mlp with { Convolutions = Small.Convolutions })).Field);
        Assert.Equal("architecture.image", Assert.Single(Architectures.Validate(Small with { Image = null })).Field);
        Assert.Equal("architecture.convolutions", Assert.Single(Architectures.Validate(Small with { Convolutions = null! })).Field);
        Assert.Equal("architecture.convolutions[1]", Assert.Single(Architectures.Validate(Small with { Convolutions = [Small.Convolutions[0], null!] })).Field);
    }

    private static void AssertLegal(bool legal, ArchitectureSpec spec) => Assert.Equal(legal, Architectures.Validate(spec).Count == 0);

    private static ArchitectureSpec Spec(int height, int width, int channels, (int Channels, int Kernel)[] convolutions, int[] hidden, int outputs) => new()
    {
        Name = Architectures.Conv,
        Inputs = height * width * channels,
        Image = new ImageSpec { Height = height, Width = width, Channels = channels },
        Convolutions = [.. convolutions.Select(convolution => new ConvolutionSpec { Channels = convolution.Channels, Kernel = convolution.Kernel })],
        Hidden = hidden,
        Outputs = outputs,
    };
}
