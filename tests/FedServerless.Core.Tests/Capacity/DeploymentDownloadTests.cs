using FedServerless.Capacity;
using FedServerless.Wire.Downloads;

namespace FedServerless.Core.Tests.Capacity;

/// <summary>A deployment whose model travels encoded: what devices fetch, what making it costs, and that one object serves it.</summary>
public sealed class DeploymentDownloadTests
{
    private static readonly DeploymentQuestion Question = new() { Clients = 100_000, Parameters = 1_000_000 };

    [Theory]
    [InlineData(DownloadEncodings.Float32, 4)]
    [InlineData(DownloadEncodings.Float16, 2)]
    [InlineData(DownloadEncodings.Int8, 1)]
    public void Plan_Download_IsWhatDevicesReceive(string download, int bytesEach)
    {
        var plan = DeploymentPlanner.Plan(Question with { Download = download });

        Assert.InRange(plan.Usage.EgressBytes, 1e11 * bytesEach, 1.001e11 * bytesEach);
    }

    [Fact]
    public void Plan_EncodedDownload_IsWrittenOnceARound()
    {
        var plain = Open(DeploymentPlanner.Plan(Question));
        var encoded = Open(DeploymentPlanner.Plan(Question with { Download = DownloadEncodings.Int8 }));

        Assert.InRange(encoded.BytesWritten - plain.BytesWritten, 1_000_000, 1_001_000);
        Assert.InRange(encoded.BytesRead - plain.BytesRead, 4_000_000, 4_004_000);
    }

    // 10⁶ clients within 600 s fetch 1667 times a second: six copies of the model, one of an encoded file.
    [Theory]
    [InlineData(DownloadEncodings.Float32, 6, false)]
    [InlineData(DownloadEncodings.Int8, 1, true)]
    public void Plan_MoreFetchesThanOneObjectServes_SaysSo(string download, int replicas, bool isBroken)
    {
        var plan = DeploymentPlanner.Plan(Question with { Clients = 1_000_000, Download = download });

        Assert.Equal(replicas, plan.Replicas);
        Assert.Equal(isBroken, plan.Findings.Single(finding => finding.Limit.Contains("one model blob", StringComparison.Ordinal)).IsBroken);
    }

    [Theory]
    [InlineData(DownloadEncodings.Delta)]
    [InlineData("brotli")]
    public void Problems_NoWholeEncoding_IsNamed(string download) => Assert.Equal("download", Assert.Single((Question with { Download = download }).Problems()).Field);

    private static ResourceUsage Open(DeploymentPlan plan) => plan.Steps.Single(step => step.Forecast.Name == "OpenRound").Forecast.Usage;
}
