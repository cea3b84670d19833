using FedServerless.Core.Tests.Wire.Updates;
using FedServerless.Model;

namespace FedServerless.Core.Tests.Model;

public sealed class ModelStateFileTests
{
    [Theory]
    [InlineData(1, 0, 0)]
    [InlineData(0, 1, 0)]
    [InlineData(0, 0, 1)]
    [InlineData(7, 5, 3)]
    [InlineData(65_537, 65_536, 65_536)]
    public void Write_ThenRead_GivesTheSameModel(int parameters, int buffers, int integers)
    {
        var (_, state) = UpdateSamples.Models(seed: 3, parameters, buffers, integers);
        var metadata = new Dictionary<string, string> { ["step"] = "3", ["a\"\\\n"] = "ü\u0001€😀" };

        using var stream = new MemoryStream(ModelStateFile.ToBytes(state, metadata));
        var read = ModelStateFile.Read(stream, stream.Length, out var header);

        Assert.Equal(state.Layout.Digest, read.Layout.Digest);
        Assert.Equal(state.Values, read.Values);
        Assert.Equal(state.Integers, read.Integers);
        Assert.Equal(metadata, header.Metadata);
        Assert.Equal(stream.Length, stream.Position);
    }

    [Fact]
    public void Read_StreamShorterThanItsLength_Throws()
    {
        var (_, state) = UpdateSamples.Models(seed: 3, parameters: 10, buffers: 0, integers: 0);
        var bytes = ModelStateFile.ToBytes(state);
        using var stream = new MemoryStream(bytes, 0, bytes.Length - 1);

        Assert.Throws<EndOfStreamException>(() => ModelStateFile.Read(stream, bytes.Length));
    }

    [Fact]
    public void Read_NotSafetensors_SaysWhy()
    {
        var refused = Assert.Throws<InvalidDataException>(() => ModelStateFile.Read("not a model at all"u8.ToArray()));

        Assert.Contains("safetensors header claims", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_TensorsInAnyOrder_GivesTheFlatVectorOfTheLayout()
    {
        const string Json = """
            {"b.running_mean":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},
             "n":{"dtype":"I64","shape":[],"data_offsets":[12,20]},"v":{"dtype":"F32","shape":[1],"data_offsets":[20,24]}}
            """;
        var data = Convert.FromHexString("00000041" + "0000803F" + "00000040" + "FFFFFFFFFFFFFFFF" + "00004040");

        var state = ModelStateFile.Read(SafetensorsFile.Of(Json, data));

        Assert.Equal(["w", "v", "b.running_mean", "n"], state.Layout.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([1f, 2, 3, 8], state.Values);
        Assert.Equal([-1L], state.Integers);
        Assert.Equal(state.Layout.Digest, ModelStateFile.Read(ModelStateFile.ToBytes(state)).Layout.Digest);
    }
}
