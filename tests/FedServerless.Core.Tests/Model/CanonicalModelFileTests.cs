using System.Text;
using FedServerless.Model;

namespace FedServerless.Core.Tests.Model;

public sealed class CanonicalModelFileTests
{
    private static readonly TensorLayout Layout = TensorLayout.Create(
    [
        new("bn.running_mean", [1], TensorRole.Buffer),
        new("w", [2, 1], TensorRole.Parameter),
        new("bn.num_batches_tracked", [], TensorRole.Integer),
    ]);

    /// <summary>Worked out by hand from the format's specification.</summary>
    [Fact]
    public void Write_HandCase_GivesTheBytesOfTheSpecification()
    {
        var state = new ModelState(Layout, [1f, -2f, 0.5f], [258]);

        var file = ModelStateFile.ToBytes(state, new Dictionary<string, string> { ["step"] = "7", ["Über"] = "\"\\\n" });

        var json = """
            {"__metadata__":{"step":"7","Über":"\"\\\u000a",
            "fed.role.w":"parameter","fed.role.bn.running_mean":"buffer","fed.role.bn.num_batches_tracked":"integer"},
            "bn.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[0,8]},
            "w":{"dtype":"F32","shape":[2,1],"data_offsets":[8,16]},
            "bn.running_mean":{"dtype":"F32","shape":[1],"data_offsets":[16,20]}}
            """.ReplaceLineEndings("");
        var padding = (8 - (Encoding.UTF8.GetByteCount(json) % 8)) % 8;
        var data = Convert.FromHexString("0201000000000000" + "0000803F" + "000000C0" + "0000003F");
        Assert.Equal(SafetensorsFile.Of(json + new string(' ', padding), data), file);
    }

    [Fact]
    public void Create_Offsets_AreWhereTheParserFindsTheVectors()
    {
        var file = CanonicalModelFile.Create(Layout);

        Assert.True(SafetensorsHeader.TryParse(file.Header.Span, file.Length, out var header, out var problem), problem);
        Assert.Equal(0, file.IntegersOffset % 8);
        Assert.True(header.IsContiguous);
        Assert.Equal([new FileSegment(file.FloatsOffset, 0, 3)], header.FloatSegments(0, 3));
        Assert.Equal([new FileSegment(file.FloatsOffset + 4, 1, 2)], header.FloatSegments(1, 2));
        Assert.Equal([new FileSegment(file.IntegersOffset, 0, 1)], header.IntegerSegments(0, 1));
        Assert.Equal(Layout.Digest, header.Layout.Digest);
    }

    [Fact]
    public void Create_OptimizerState_IsAFileLikeAnyOther()
    {
        var layout = TensorLayout.Create([new("m", [1000], TensorRole.Parameter), new("v", [1000], TensorRole.Parameter)]);

        var file = CanonicalModelFile.Create(layout, new Dictionary<string, string> { ["step"] = "12" });

        Assert.True(SafetensorsHeader.TryParse(file.Header.Span, file.Length, out var header, out _));
        Assert.Equal("12", header.Metadata["step"]);
        Assert.Equal(8000, file.Length - file.FloatsOffset);
    }

    [Fact]
    public void Create_OrderOfMetadata_DoesNotChangeTheBytes()
    {
        var one = CanonicalModelFile.Create(Layout, new Dictionary<string, string> { ["b"] = "1", ["a"] = "2" });
        var other = CanonicalModelFile.Create(Layout, new Dictionary<string, string> { ["a"] = "2", ["b"] = "1" });

        Assert.True(one.Header.Span.SequenceEqual(other.Header.Span));
    }

    [Theory]
    [InlineData("fed.role.w")]
    [InlineData("fed.role.")]
    public void Create_ReservedKey_Throws(string key) =>
        Assert.Throws<ArgumentException>(() => CanonicalModelFile.Create(Layout, new Dictionary<string, string> { [key] = "" }));

    [Fact]
    public void Create_HalfASurrogatePair_Throws() =>
        Assert.ThrowsAny<ArgumentException>(() => CanonicalModelFile.Create(Layout, new Dictionary<string, string> { ["k"] = "\ud800" }));

    [Fact]
    public void Create_TensorNamedAsTheMetadata_Throws()
    {
        var layout = TensorLayout.Create([new("__metadata__", [1], TensorRole.Parameter)]);

        Assert.Throws<ArgumentException>(() => CanonicalModelFile.Create(layout));
    }

    [Theory]
    [InlineData(SafetensorsHeader.MaxMetadataEntries, true)]
    [InlineData(SafetensorsHeader.MaxMetadataEntries + 1, false)]
    public void Create_MetadataEntriesAroundTheirLimit_AreRefusedAbove(int entries, bool legal)
    {
        var metadata = Enumerable.Range(0, entries).ToDictionary(entry => $"{entry}", _ => "");

        Assert.Equal(legal, Record.Exception(() => CanonicalModelFile.Create(Layout, metadata)) is null);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public void Create_HeaderAroundItsLimit_IsRefusedAbove(int beyond, bool legal)
    {
        var bare = CanonicalModelFile.Create(Layout, new Dictionary<string, string> { ["k"] = "" });
        var text = Encoding.UTF8.GetString(bare.Header.Span[8..]).TrimEnd(' ');
        var metadata = new Dictionary<string, string> { ["k"] = new('x', SafetensorsHeader.MaxLength - 8 - text.Length + beyond) };

        Assert.Equal(legal, Record.Exception(() => CanonicalModelFile.Create(Layout, metadata)) is null);
    }
}
