using FedServerless.Cli.Runs;

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
    public void TryParse_AnythingElse_IsRefused(string text) => Assert.False(ArchitectureText.TryParse(text, out _));
}
