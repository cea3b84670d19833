using FedServerless.Capacity;
using FedServerless.Wire.Downloads;

namespace FedServerless.Core.Tests.Capacity;

/// <summary>A deployment whose model travels encoded: what devices fetch, and what making and copying it costs.</summary>
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

    // 10⁶ clients within 600 s fetch 1667 times a second, and 300 a second are planned for one object: six copies, each a write, a read and a delete.
    [Theory]
    [InlineData(DownloadEncodings.Float32, 4)]
    [InlineData(DownloadEncodings.Int8, 1)]
    public void Plan_MoreFetchesThanOneObjectServes_CopiesWhatDevicesFetch(string download, int bytesEach)
    {
        var few = Open(DeploymentPlanner.Plan(Question with { Download = download }));
        var plan = DeploymentPlanner.Plan(Question with { Clients = 1_000_000, Download = download });

        Assert.Equal(6, plan.Replicas);
        Assert.Equal(6, Open(plan).Writes - few.Writes);
        Assert.InRange(Open(plan).BytesWritten - few.BytesWritten, 6_000_000 * bytesEach, 6_006_000 * bytesEach);
    }

    [Theory]
    [InlineData(DownloadEncodings.Delta)]
    [InlineData("brotli")]
    public void Problems_NoWholeEncoding_IsNamed(string download) => Assert.Equal("download", Assert.Single((Question with { Download = download }).Problems()).Field);

    private static ResourceUsage Open(DeploymentPlan plan) => plan.Steps.Single(step => step.Forecast.Name == "OpenRound").Forecast.Usage;
}
