namespace FedServerless.Core.Tests.Numerics;

public sealed class WidthTests
{
    [Theory]
    [InlineData("weighted-mean")]
    [InlineData("reductions")]
    [InlineData("robust")]
    [InlineData("optimizers")]
    public void Kernels_AnyVectorWidth_GiveTheSameBytes(string probe)
    {
        var runs = CoreProbe.Widths.Select(width => CoreProbe.Run(probe, width)).ToArray();

        Assert.Single(runs.Select(run => run.Digest).Distinct());
        Assert.Contains(runs, run => run.Widths.Contains("128 False", StringComparison.Ordinal));
    }
}
