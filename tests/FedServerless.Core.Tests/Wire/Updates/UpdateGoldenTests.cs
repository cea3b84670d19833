using FedServerless.Compression;
using FedServerless.Model;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Core.Tests.Wire.Updates;

/// <summary>Golden updates: a header, then its payload, in one file.</summary>
public sealed class UpdateGoldenTests
{
    private static readonly Digest Start = Digest.Of("golden"u8);

    public static TheoryData<string> Codecs { get; } = [.. UpdateCodecs.All.Names];

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Encode_GoldenUpdate_GivesTheSameBytesForEver(string codec)
    {
        var (start, trained) = Models();
        if (codec == UpdateCodecs.Ternary)
        {
            // What is drawn has no say in the bytes where every value is −s, 0 or s.
            for (var i = 0; i < trained.Parameters.Length; i++)
            {
                trained.Values[i] = start.Values[i] + (((i * 53 % 3) - 1) / 64f);
            }
        }

        var update = new UpdateSpec { Codec = codec, BlockCoordinates = 1024, Keep = UpdateCodecs.Keeps(codec) ? 0.05 : null, MaskSeed = 2026 };
        using var payload = new MemoryStream();

        var header = UpdateEncoder.Encode(UpdateShape.Create(start.Layout, update), Start, start, trained, payload);

        GoldenFile.Check($"Wire/Updates/Golden/update-v1-{codec}.fsu", [.. header.Bytes.Span, .. payload.ToArray()]);
    }

    private static (ModelState Start, ModelState Trained) Models()
    {
        var layout = TensorLayout.Create(
        [
            new("fc.weight", [3, 350], TensorRole.Parameter),
            new("bn.running_mean", [2], TensorRole.Buffer),
            new("bn.num_batches_tracked", [], TensorRole.Integer),
            new("fc.bias", [3], TensorRole.Parameter),
        ]);
        var start = new ModelState(layout, new float[1055], [41]);
        var trained = new ModelState(layout, new float[1055], [42]);
        for (var i = 0; i < 1055; i++)
        {
            // Whole numbers over powers of two: exact on every machine.
            start.Values[i] = ((i * 37 % 101) - 50) / 64f;
            trained.Values[i] = start.Values[i] + (((i * 53 % 211) - 105) / 4096f);
        }

        return (start, trained);
    }
}
