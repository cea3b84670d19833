using FedServerless.Cli.Runs;
using FedServerless.Wire;

namespace FedServerless.Cli.Tests.Runs;

public sealed class ArchitectureTextTests
{
    [Fact]
    public void TryParse_Softmax_HasNoHiddenLayer()
    {
        Assert.True(ArchitectureText.TryParse("softmax:64x10", out var spec));
        Assert.Equal(("softmax", 64, 0, 10), (spec.Name, spec.Inputs, spec.Hidden.Count, spec.Outputs));
    }

    [Fact]
    public void TryParse_Mlp_TakesTheMiddleAsHiddenLayers()
    {
        Assert.True(ArchitectureText.TryParse("mlp:784-200-100-10", out var spec));
        Assert.Equal(("mlp", 784, 10), (spec.Name, spec.Inputs, spec.Outputs));
        Assert.Equal([200, 100], spec.Hidden);
    }

    [Theory]
    [InlineData("conv:28x12x3-32c5-64c3-512-10", 28, 12, 3, 512)]
    [InlineData("conv:28x16-32c5-64c3-512-10", 28, 16, 1, 512)]
    [InlineData("conv:4x8-32c5-64c3-10", 4, 8, 1, 0)]
    public void TryParse_Conv_TakesImageConvolutionsAndLayers(string text, int height, int width, int channels, int hidden)
    {
        Assert.True(ArchitectureText.TryParse(text, out var spec));
        Assert.Equal(("conv", height * width * channels, 10), (spec.Name, spec.Inputs, spec.Outputs));
        Assert.Equal(new ImageSpec { Height = height, Width = width, Channels = channels }, spec.Image);
        Assert.Equal([new ConvolutionSpec { Channels = 32, Kernel = 5 }, new ConvolutionSpec { Channels = 64, Kernel = 3 }], spec.Convolutions);
        Assert.Equal(hidden == 0 ? [] : [hidden], spec.Hidden);
    }

    [Theory]
    [InlineData("")]
    [InlineData("mlp")]
    [InlineData(":64x10")]
    [InlineData("softmax:64")]
    [InlineData("softmax:64-32-10")]
    [InlineData("mlp:64-10")]
    [InlineData("mlp:64--10")]
    [InlineData("mlp:64-0-10")]
    [InlineData("mlp:64-+32-10")]
    [InlineData("cnn:64-32-10")]
    [InlineData("mlp:64-99999999999-10")]
    [InlineData("conv:")]
    [InlineData("conv:64-8c3-10")]
    [InlineData("conv:8x8x1x1-8c3-10")]
    [InlineData("conv:8x8-10")]
    [InlineData("conv:8x8-8c3")]
    [InlineData("conv:8x8-8c-10")]
    [InlineData("conv:8x8-8c3c3-10")]
    [InlineData("conv:8x8-8c4-10")]
    [InlineData("conv:8x8-32-8c3-10")]
    [InlineData("conv:99999x99999-8c3-10")]
    public void TryParse_AnythingElse_IsRefused(string text) => Assert.False(ArchitectureText.TryParse(text, out _));

    [Fact]
    public void Explain_FormIsRightAndANumberIsNot_SaysWhichNumber() => Assert.Contains(
        "architecture.image.width is '14'; expected a multiple of 4 up to 1024, halved after each of 2 convolutions",
        ArchitectureText.Explain("conv:28x14-32c5-64c5-10"),
        StringComparison.Ordinal);
}
