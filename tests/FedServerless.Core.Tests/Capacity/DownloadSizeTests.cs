using FedServerless.Capacity;
using FedServerless.Compression;
using FedServerless.Core.Tests.Wire.Downloads;
using FedServerless.Core.Tests.Wire.Updates;
using FedServerless.Model;
using FedServerless.Wire.Downloads;

namespace FedServerless.Core.Tests.Capacity;

public sealed class DownloadSizeTests
{
    [Theory]
    [InlineData(UpdateCodecs.Float16, 1, 0, 0)]
    [InlineData(UpdateCodecs.Float16, 65_537, 5, 3)]
    [InlineData(UpdateCodecs.Int8, 1, 0, 0)]
    [InlineData(UpdateCodecs.Int8, 65_536, 0, 1)]
    [InlineData(UpdateCodecs.Int8, 200_000, 70_000, 40_000)]
    public void Of_AnEncoding_IsTheLengthOfTheFile(string encoding, int parameters, int buffers, int integers)
    {
        var (model, _) = UpdateSamples.Models(1, parameters, buffers, integers);
        var writer = new EncodedModelWriter(model.Layout, UpdateCodecs.All.Get(encoding), null, half: false);

        Assert.Equal(EncodedModels.Write(writer, model, null, out _).Length, DownloadSize.Of(model.Layout, [encoding]));
    }

    // 4, 2 and 1 bytes a parameter: docs/concepts/downlink.md. Headers, scales and hashes of a million parameters are below a thousandth.
    [Theory]
    [InlineData(4, DownloadEncodings.Float32)]
    [InlineData(2, DownloadEncodings.Float16)]
    [InlineData(1, DownloadEncodings.Int8)]
    [InlineData(1, DownloadEncodings.Int8, DownloadEncodings.Float32)]
    [InlineData(2, DownloadEncodings.Float16, DownloadEncodings.Delta)]
    [InlineData(4, DownloadEncodings.Delta, DownloadEncodings.Float32)]
    public void Of_AMillionParameters_IsTheShortestWholeOne(int bytesEach, params string[] encodings)
    {
        const int Parameters = 1_000_000;
        var layout = UpdateSamples.Layout(Parameters, 0, 0);

        Assert.InRange(DownloadSize.Of(layout, encodings), bytesEach * Parameters, bytesEach * Parameters * 1.001);
    }

    [Fact]
    public void Of_Float32_IsTheModelsFile()
    {
        var (model, _) = UpdateSamples.Models(1, 100, 5, 3);

        Assert.Equal(ModelStateFile.ToBytes(model).Length, DownloadSize.Of(model.Layout, [DownloadEncodings.Float32]));
    }

    [Theory]
    [InlineData(DownloadEncodings.Delta)]
    [InlineData("brotli")]
    [InlineData(UpdateCodecs.TopK)]
    public void Of_NoWholeFile_Throws(string encoding) => Assert.Throws<ArgumentException>(() => DownloadSize.Of(UpdateSamples.Layout(10, 0, 0), [encoding]));
}
