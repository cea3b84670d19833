using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using FedServerless.Model;

namespace FedServerless.Core.Tests.Model.Deployment;

public sealed class DeploymentTests
{
    private static ModelState Model() => new(
        TensorLayout.Create(
        [
            new TensorSpec("w", [2, 3], TensorRole.Parameter), new TensorSpec("b", [2], TensorRole.Parameter),
            new TensorSpec("mean", [1], TensorRole.Buffer), new TensorSpec("n", [1], TensorRole.Integer),
        ]),
        [1f, -0.5f, 0.004f, 0f, 0f, 0f, 0.001f, 0.002f, 9f],
        [5]);

    [Theory]
    [InlineData(0, new[] { 1f, -0.5f, 0.004f, 0.25f, -2f, 0.5f })]
    [InlineData(0.34, new[] { 1f, -0.5f, 0f, 0f, -2f, 0.5f })]
    [InlineData(0.5, new[] { 1f, 0f, 0f, 0f, -2f, 0.5f })] // Of two magnitudes of ½ the first goes.
    [InlineData(0.99, new[] { 0f, 0f, 0f, 0f, -2f, 0f })]
    public void Prune_Share_ZeroesTheSmallestWeightsAndNothingElse(double share, float[] weights)
    {
        var model = Model();
        ((float[])[0.25f, -2f, 0.5f]).CopyTo(model.Values, 3);

        var (zero, all) = ModelPruning.Prune(model, share);

        Assert.Equal([.. weights, 0.001f, 0.002f, 9f], model.Values);
        Assert.Equal((weights.Count(weight => weight == 0), 6L), (zero, all));
    }

    [Theory]
    [InlineData(-0.01)]
    [InlineData(1)]
    [InlineData(double.NaN)]
    public void Prune_ShareOutOfRange_IsRefused(double share) => Assert.Throws<ArgumentOutOfRangeException>(() => ModelPruning.Prune(Model(), share));

    // By hand: scale 1/127; −0.5·127 = −63.5 → −64 (even); 0.004·127 = 0.508 → 1. A row of zeros has scale 0.
    [Fact]
    public void Reconstruct_Rows_AreRoundedToTheirOwnScale()
    {
        var values = QuantisedModelFile.Reconstruct(Model()).Values;

        const float Scale = 1f / 127;
        Assert.Equal([127 * Scale, -64 * Scale, Scale, 0f, 0f, 0f, 0.001f, 0.002f, 9f], values);
    }

    // Read by no code of the product: the format's specification alone.
    [Fact]
    public void Write_File_IsSafetensorsWithBytesAndScales()
    {
        using var stream = new MemoryStream();
        QuantisedModelFile.Write(Model(), stream);
        var file = stream.ToArray();

        var length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        using var header = JsonDocument.Parse(file.AsMemory(8, length));
        Assert.Equal(0, length % 8);
        Assert.Equal([127, unchecked((byte)-64), 1, 0, 0, 0], Bytes("w", "I8", [2, 3]));
        Assert.Equal([1f / 127, 0f], MemoryMarshal.Cast<byte, float>(Bytes("w.scale", "F32", [2])).ToArray());
        Assert.Equal([0.001f, 0.002f], MemoryMarshal.Cast<byte, float>(Bytes("b", "F32", [2])).ToArray());
        Assert.Equal([9f], MemoryMarshal.Cast<byte, float>(Bytes("mean", "F32", [1])).ToArray());
        Assert.Equal([5L], MemoryMarshal.Cast<byte, long>(Bytes("n", "I64", [1])).ToArray());
        Assert.Equal(8 + length + 6 + 8 + 8 + 4 + 8, file.Length);

        byte[] Bytes(string name, string type, int[] shape)
        {
            var tensor = header.RootElement.GetProperty(name);
            Assert.Equal(type, tensor.GetProperty("dtype").GetString());
            Assert.Equal(shape, tensor.GetProperty("shape").EnumerateArray().Select(dimension => dimension.GetInt32()));
            var (from, to) = (tensor.GetProperty("data_offsets")[0].GetInt32(), tensor.GetProperty("data_offsets")[1].GetInt32());
            return file[(8 + length + from)..(8 + length + to)];
        }
    }

    [Fact]
    public void Write_NameOfAScaleIsTaken_IsRefused()
    {
        var layout = TensorLayout.Create([new TensorSpec("w", [1, 1], TensorRole.Parameter), new TensorSpec("w.scale", [1], TensorRole.Parameter)]);
        Assert.Throws<ArgumentException>(() => QuantisedModelFile.Write(new ModelState(layout, new float[2], []), new MemoryStream()));
    }
}
