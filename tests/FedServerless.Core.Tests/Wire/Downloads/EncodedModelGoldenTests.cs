using FedServerless.Compression;
using FedServerless.Model;
using FedServerless.Wire.Downloads;

namespace FedServerless.Core.Tests.Wire.Downloads;

/// <summary>
/// Golden encoded models: what servers write today, devices of every later version read. Every field, hash and value of these files was
/// read with a few lines of Python and numpy 1.24, written from docs/concepts/downlink.md alone.
/// </summary>
public sealed class EncodedModelGoldenTests
{
    public static TheoryData<string, bool, bool> Kinds => new()
    {
        { UpdateCodecs.Float16, false, false },
        { UpdateCodecs.Int8, false, false },
        { UpdateCodecs.Int8, true, false },
        { UpdateCodecs.Int8, true, true },
        { UpdateCodecs.Float16, true, true },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Write_GoldenModel_GivesTheSameBytesForEver(string codec, bool onTop, bool half)
    {
        var (start, model) = Models();

        var file = EncodedModels.Write(Writer(start, codec, onTop, half), model, onTop ? start : null, out _);

        GoldenFile.Check(Path(codec, onTop, half), file);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Read_GoldenModel_IsTheModelThatWasSent(string codec, bool onTop, bool half)
    {
        var (start, model) = Models();
        EncodedModels.Write(Writer(start, codec, onTop, half), model, onTop ? start : null, out var made);
        using var file = File.OpenRead(System.IO.Path.Combine(AppContext.BaseDirectory, Path(codec, onTop, half)));

        var read = EncodedModelReader.Read(
            file, start.Layout.Digest, CanonicalModelFile.Create(start.Layout).Length, onTop ? start.Clone() : null, onTop ? EncodedModels.DigestOf(start) : default);

        Assert.Equal(EncodedModels.DigestOf(made), EncodedModels.DigestOf(read));
        Assert.Equal(model.Integers, read.Integers);
        Assert.Equal(model.Buffers, read.Buffers);
    }

    private static string Path(string codec, bool onTop, bool half) =>
        $"Wire/Downloads/Golden/model-v1-{codec}{(onTop ? "-delta" : "")}{(half ? "-half" : "")}.fsd";

    private static EncodedModelWriter Writer(ModelState start, string codec, bool onTop, bool half) =>
        new(start.Layout, UpdateCodecs.All.Get(codec), onTop ? EncodedModels.DigestOf(start) : null, half);

    private static (ModelState Start, ModelState Model) Models()
    {
        var layout = TensorLayout.Create(
        [
            new("fc.weight", [3, 35], TensorRole.Parameter),
            new("bn.running_mean", [2], TensorRole.Buffer),
            new("bn.num_batches_tracked", [], TensorRole.Integer),
            new("fc.bias", [3], TensorRole.Parameter),
        ]);
        var start = new ModelState(layout, new float[110], [41]);
        var model = new ModelState(layout, new float[110], [42]);
        for (var i = 0; i < 110; i++)
        {
            // Whole numbers over powers of two: exact on every machine.
            start.Values[i] = ((i * 37 % 101) - 50) / 64f;
            model.Values[i] = start.Values[i] + (((i * 53 % 211) - 105) / 4096f);
        }

        return (start, model);
    }
}
