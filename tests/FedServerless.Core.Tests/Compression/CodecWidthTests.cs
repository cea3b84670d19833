namespace FedServerless.Core.Tests.Compression;

public sealed class CodecWidthTests(ITestOutputHelper output)
{
    [Fact]
    public void EncodeAndDecode_AnyVectorWidth_GiveTheSameBytes()
    {
        var runs = CoreProbe.Widths.Select(width => CoreProbe.Run("codecs", width)).ToArray();

        foreach (var (width, run) in CoreProbe.Widths.Zip(runs))
        {
            output.WriteLine($"{run.Digest[..16]} {width.Setting}={width.Value}: {run.Widths}");
        }

        Assert.Single(runs.Select(run => run.Digest).Distinct());
        Assert.Contains("128 False", runs[3].Widths, StringComparison.Ordinal);
    }
}
