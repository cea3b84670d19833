using FedServerless.Cli.Demo;

namespace FedServerless.Cli.Tests.Demo;

public sealed class PartitionChoiceTests
{
    [Theory]
    [InlineData("iid", null)]
    [InlineData("dirichlet:0.1", 0.1)]
    [InlineData("dirichlet:1000000", 1_000_000.0)]
    public void TryParse_KnownForm_KeepsAlphaAndText(string text, double? alpha)
    {
        Assert.True(PartitionChoice.TryParse(text, out var choice));
        Assert.Equal((alpha, text), (choice.Alpha, choice.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("IID")]
    [InlineData("dirichlet")]
    [InlineData("dirichlet:")]
    [InlineData("dirichlet:0")]
    [InlineData("dirichlet:-1")]
    [InlineData("dirichlet:NaN")]
    [InlineData("dirichlet:1000000.5")]
    public void TryParse_AnythingElse_IsRefused(string text) => Assert.False(PartitionChoice.TryParse(text, out _));
}
