using System.Buffers.Binary;
using FedServerless.Model;

namespace FedServerless.Core.Tests.Model;

public sealed class SafetensorsHeaderTests
{
    /// <summary>As another tool might write it: any order of keys and data, roles left to be inferred, odd padding.</summary>
    private const string Foreign = """
        {"net.0.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[20,44]},
         "bn.running_var":{"dtype":"F32","shape":[2],"data_offsets":[12,20]},
         "bn.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[4,12]},
         "__metadata__":{"format":"pt"},
         "net.0.bias":{"shape":[1],"data_offsets":[0,4],"dtype":"F32"},
         "net.1.bias":{"shape":[1],"data_offsets":[44,48],"dtype":"F32"}}   
        """;

    [Fact]
    public void TryParse_FileOfAnotherTool_InfersRolesAndKeepsTheOrderOfItsBytes()
    {
        var header = Parse(SafetensorsFile.Of(Foreign, new byte[48]));

        Assert.Equal(
            ["net.0.bias", "net.0.weight", "net.1.bias", "bn.running_var", "bn.num_batches_tracked"],
            header.Layout.Tensors.Select(tensor => tensor.Name));
        Assert.Equal((8L, 2L, 1L), (header.Layout.ParameterCount, header.Layout.BufferCount, header.Layout.IntegerCount));
        Assert.Equal([0L, 20, 44, 12, 4], header.FileOffsets.Select(offset => offset - header.Length));
        Assert.Equal("pt", Assert.Single(header.Metadata).Value);
        Assert.False(header.IsContiguous);
    }

    [Fact]
    public void FloatSegments_FileOfAnotherTool_MapsFlatRangesOntoTheFile()
    {
        var header = Parse(SafetensorsFile.Of(Foreign, new byte[48]));
        var data = header.Length;

        Assert.Equal([new(data, 0, 1), new(data + 20, 1, 7), new FileSegment(data + 12, 8, 2)], header.FloatSegments(0, 10));
        Assert.Equal([new FileSegment(data + 24, 2, 3)], header.FloatSegments(2, 3));
        Assert.Equal([new(data + 44, 7, 1), new FileSegment(data + 12, 8, 1)], header.FloatSegments(7, 2));
        Assert.Equal([new FileSegment(data + 4, 0, 1)], header.IntegerSegments(0, 1));
        Assert.Empty(header.FloatSegments(10, 0));
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, -1)]
    [InlineData(0, 11)]
    [InlineData(10, 1)]
    [InlineData(1, long.MaxValue)]
    public void FloatSegments_OutsideTheVector_Throws(long start, long count)
    {
        var header = Parse(SafetensorsFile.Of(Foreign, new byte[48]));

        Assert.Throws<ArgumentOutOfRangeException>(() => header.FloatSegments(start, count));
    }

    [Theory]
    [InlineData("parameter", "running_mean", TensorRole.Parameter)]
    [InlineData("buffer", "w", TensorRole.Buffer)]
    [InlineData(null, "bn.running_mean", TensorRole.Buffer)]
    [InlineData(null, "bn.running_var", TensorRole.Buffer)]
    [InlineData(null, "bn.running_var2", TensorRole.Parameter)]
    public void TryParse_Role_ComesFromMetadataOrElseFromTheName(string? role, string name, TensorRole expected)
    {
        var metadata = role is null ? "" : $$"""
            "__metadata__":{"fed.role.{{name}}":"{{role}}"},
            """;

        var header = Parse(SafetensorsFile.Of($$$"""{{{{metadata}}}"{{{name}}}":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}""", new byte[4]));

        Assert.Equal(expected, header.Layout.Tensors[0].Role);
        Assert.Empty(header.Metadata);
    }

    public static TheoryData<string, int, string> Refused => new()
    {
        { """[]""", 0, "begins with '{'" },
        { """ {"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "begins with '{'" },
        { """{}""", 0, "1 to 65536 tensors" },
        { """{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}""", 4, "not legal JSON" },
        { """{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}x""", 4, "not legal JSON" },
        { """{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}{}""", 4, "not legal JSON" },
        { """{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},}""", 4, "not legal JSON" },
        { """{/**/"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "not legal JSON" },
        { """{"w":[]}""", 0, "not an object" },
        { """{"w":{}}""", 0, "lacks a field" },
        { """{"w":{"dtype":"F32","shape":[1]}}""", 4, "lacks a field" },
        { """{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":0}}""", 4, "unknown or repeated" },
        { """{"w":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "unknown or repeated" },
        { """{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "repeated" },
        { """{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\u0077":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "repeated" },
        { """{"w":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}""", 4, "dtype 'BF16'; only F32 and I64" },
        { """{"w":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}""", 4, "dtype 'f32'" },
        { """{"w":{"dtype":7,"shape":[1],"data_offsets":[0,4]}}""", 4, "only F32 and I64" },
        { """{"w":{"dtype":"F32","shape":[0],"data_offsets":[0,4]}}""", 4, "shape of tensor 'w'" },
        { """{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "shape of tensor 'w'" },
        { """{"w":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}""", 4, "shape of tensor 'w'" },
        { """{"w":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}}""", 4, "not legal JSON" },
        { """{"w":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}""", 4, "shape of tensor 'w'" },
        { """{"w":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}""", 4, "shape of tensor 'w'" },
        { """{"w":{"dtype":"F32","shape":[2147483648],"data_offsets":[0,4]}}""", 4, "shape of tensor 'w'" },
        { """{"w":{"dtype":"F32","shape":[2147483647,2147483647,2147483647,2147483647,2147483647,2147483647,2147483647,2147483647],"data_offsets":[0,4]}}""", 4, "shape and dtype need" },
        { """{"w":{"dtype":"F32","shape":[65536,65536,65536,65536],"data_offsets":[0,4]}}""", 4, "shape and dtype need" },
        { """{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "spans 4 bytes; its shape and dtype need 8" },
        { """{"w":{"dtype":"I64","shape":[1],"data_offsets":[0,4]}}""", 4, "spans 4 bytes; its shape and dtype need 8" },
        { """{"w":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", 4, "data_offsets of tensor 'w'" },
        { """{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}""", 4, "data_offsets of tensor 'w'" },
        { """{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", 4, "data_offsets of tensor 'w'" },
        { """{"w":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}""", 4, "data_offsets of tensor 'w'" },
        { """{"w":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}""", 4, "data_offsets of tensor 'w'" },
        { """{"w":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551612,18446744073709551616]}}""", 4, "data_offsets of tensor 'w'" },
        { """{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "begins at byte 4 of the data; expected 0" },
        { """{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"v":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "begins at byte 0 of the data; expected 4" },
        { """{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"v":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "begins at byte 4 of the data; expected 8" },
        { """{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 5, "end at byte 4 of the data, which has 5 bytes" },
        { """{"":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "empty" },
        { """{"__metadata__":{"a":1},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "Metadata 'a' is not a string" },
        { """{"__metadata__":{"a":"","a":""},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "Metadata 'a' is repeated" },
        { """{"__metadata__":{},"__metadata__":{},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "repeated or not an object" },
        { """{"__metadata__":"","w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "repeated or not an object" },
        { """{"__metadata__":{"fed.role.w":"weight"},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "expected parameter, buffer or integer" },
        { """{"__metadata__":{"fed.role.w":"integer"},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "cannot have the role integer" },
        { """{"__metadata__":{"fed.role.w":"buffer"},"w":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}""", 8, "cannot have the role buffer" },
        { """{"__metadata__":{"fed.role.v":"buffer"},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "no tensor of the file" },
        { """{"\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "not legal Unicode" },
        { """{"w":{"\ud800":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "not legal Unicode" },
        { """{"w":{"dtype":"\ud800","shape":[1],"data_offsets":[0,4]}}""", 4, "not legal Unicode" },
        { """{"__metadata__":{"a":"\udc00"},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "not legal Unicode" },
        { """{"n":{"dtype":"I64","shape":[65537],"data_offsets":[0,524296]}}""", 524_296, "65536 int64 values" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void TryParse_IllegalHeader_SaysWhatIsWrong(string json, int dataBytes, string expected)
    {
        var file = SafetensorsFile.Of(json, new byte[dataBytes]);

        Assert.False(SafetensorsHeader.TryParse(file, file.Length, out var header, out var problem));
        Assert.Null(header);
        Assert.Contains(expected, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void TryParse_IllegalUtf8_IsRefused()
    {
        byte[] json = [.. "{\"w"u8, 0xC3, 0x28, .. "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"u8];
        var file = SafetensorsFile.Of(json, new byte[4]);

        Assert.False(SafetensorsHeader.TryParse(file, file.Length, out _, out var problem));
        Assert.Contains("UTF-8", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void TryParse_EveryTruncation_IsRefused()
    {
        var file = SafetensorsFile.Of(Foreign, new byte[48]);
        for (var length = 0; length < file.Length; length++)
        {
            Assert.False(SafetensorsHeader.TryParse(file.AsSpan(0, length), length, out _, out _));
        }
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    [InlineData(SafetensorsHeader.MaxLength - 8, true)]
    [InlineData(SafetensorsHeader.MaxLength - 7, false)]
    [InlineData(long.MaxValue, false)]
    [InlineData(-1, false)]
    public void TryReadLength_AroundItsLimits_IsRefusedOutside(long json, bool legal)
    {
        var start = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(start, json);

        Assert.Equal(legal, SafetensorsHeader.TryReadLength(start, 1L << 40, out var length, out _));
        Assert.Equal(legal ? json + 8 : 0, length);
    }

    [Theory]
    [InlineData(TensorLayout.MaxNameLength, true)]
    [InlineData(TensorLayout.MaxNameLength + 1, false)]
    public void TryParse_NameAroundItsLimit_IsRefusedAbove(int length, bool legal)
    {
        var file = SafetensorsFile.Of($$$"""{"{{{new string('w', length)}}}":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", new byte[4]);

        Assert.Equal(legal, SafetensorsHeader.TryParse(file, file.Length, out _, out _));
    }

    [Theory]
    [InlineData(SafetensorsHeader.MaxMetadataEntries, true)]
    [InlineData(SafetensorsHeader.MaxMetadataEntries + 1, false)]
    public void TryParse_MetadataEntriesAroundTheirLimit_AreRefusedAbove(int entries, bool legal)
    {
        var metadata = string.Join(',', Enumerable.Range(0, entries).Select(entry => $"\"{entry}\":\"\""));
        var file = SafetensorsFile.Of($$$"""{"__metadata__":{{{{metadata}}}},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", new byte[4]);

        Assert.Equal(legal, SafetensorsHeader.TryParse(file, file.Length, out _, out _));
    }

    [Theory]
    [InlineData(TensorLayout.MaxTensors, true)]
    [InlineData(TensorLayout.MaxTensors + 1, false)]
    public void TryParse_TensorsAroundTheirLimit_AreRefusedAbove(int tensors, bool legal)
    {
        var json = "{" + string.Join(',', Enumerable.Range(0, tensors).Select(tensor =>
            $"\"{tensor}\":{{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[{4 * tensor},{(4 * tensor) + 4}]}}")) + "}";
        var file = SafetensorsFile.Of(json, new byte[4 * tensors]);

        Assert.Equal(legal, SafetensorsHeader.TryParse(file, file.Length, out _, out _));
    }

    [Theory]
    [InlineData(2000, "")]
    [InlineData(2000, ",\"x\":0")]
    public void TryParse_ManyOfTheSmallestTensors_AllocatesWithinItsBound(int tensors, string tail)
    {
        var json = "{" + string.Join(',', Enumerable.Range(0, tensors).Select(tensor =>
            $"\"{tensor}\":{{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[{4 * tensor},{(4 * tensor) + 4}]}}")) + tail + "}";
        var file = SafetensorsFile.Of(json, new byte[4 * tensors]);
        SafetensorsHeader.TryParse(file, file.Length, out _, out _);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var legal = SafetensorsHeader.TryParse(file, file.Length, out _, out _);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(tail.Length == 0, legal);
        Assert.InRange(allocated, 1, (SafetensorsHeader.MaxAllocationPerByte * (8L + json.Length)) + SafetensorsHeader.MaxAllocationBeside);
        TestContext.Current.TestOutputHelper!.WriteLine($"{allocated} bytes for a header of {json.Length}");
    }

    private static SafetensorsHeader Parse(byte[] file)
    {
        Assert.True(SafetensorsHeader.TryParse(file, file.Length, out var header, out var problem), problem);
        return header;
    }
}
