using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Json;
using FedServerless.Compression;
using FedServerless.Numerics;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Core.Tests.Wire.Updates;

public sealed class SparseUpdateTests
{
    // 784-200-200-10: McMahan et al. 2017's 2NN for MNIST.
    private const int Mnist = 199_210;

    private static readonly Digest Start = Digest.Of("start"u8);

    [Fact]
    public void Encode_MnistTwoLayersTopKInt8_IsAHundredTimesFewerBytesWithHeaderAndReceipt()
    {
        var (header, _, _) = Encode(Mnist, new UpdateSpec { Codec = UpdateCodecs.TopKInt8, Keep = 0.01 });
        var receipt = new Receipt(
            "a-client-with-quite-a-long-name-0123456789", "a-run-with-a-long-name", 200, Start, header.Digest, header.Bytes.Length + header.PayloadLength, 600,
            ImmutableSortedDictionary<string, double>.Empty.Add("loss", 0.123456789).Add("accuracy", 0.987654321));
        var request = new UploadRequest(header.Digest, header.Bytes.Length, [new UploadPart((int)header.PayloadLength, Convert.ToBase64String(new byte[16]))]);
        var uplink = header.Bytes.Length + header.PayloadLength
            + JsonSerializer.SerializeToUtf8Bytes(receipt, WireJson.Default.Receipt).Length
            + JsonSerializer.SerializeToUtf8Bytes(request, WireJson.Default.UploadRequest).Length;

        // 184 of header; 1993 values of one byte and places of 8.1 bits; the rest is JSON.
        Assert.Equal(184, header.Bytes.Length);
        Assert.InRange(header.PayloadLength, 3900, 4100);
        Assert.True(4.0 * Mnist / uplink >= 150, $"{uplink} bytes");
    }

    [Theory]
    [InlineData(UpdateCodecs.Float32, 796_840)]
    [InlineData(UpdateCodecs.Float16, 398_420)]
    [InlineData(UpdateCodecs.Int8, 199_226)]
    [InlineData(UpdateCodecs.Int4, 100_241)]
    [InlineData(UpdateCodecs.Ternary, 40_481)]
    [InlineData(UpdateCodecs.Sign, 25_538)]
    [InlineData(UpdateCodecs.RandomK, 7980)]
    [InlineData(UpdateCodecs.RandomKFloat16, 3990)]
    [InlineData(UpdateCodecs.RandomKInt8, 2011)]
    public void MaxPayloadLength_FixedLengths_IsWhatThePageSays(string codec, int bytes)
    {
        var (header, _, _) = Encode(Mnist, new UpdateSpec { Codec = codec });

        Assert.Equal(bytes, header.PayloadLength);
        Assert.Equal(bytes, header.Shape.MaxPayloadLength);
        Assert.Equal(bytes, Enumerable.Range(0, header.Shape.BlockCount).Sum(header.Shape.ExpectedBlockLength));
    }

    [Theory]
    [InlineData(UpdateCodecs.TopK)]
    [InlineData(UpdateCodecs.TopKFloat16)]
    [InlineData(UpdateCodecs.TopKInt8)]
    public void MaxPayloadLength_WhereverTheLargestStand_HoldsThem(string codec)
    {
        foreach (var keep in new[] { RunLimits.MinKeep, 0.001, 0.01, 0.0625, 0.3, 1 })
        {
            foreach (var crowd in new[] { 1, 100, 65_536, Mnist })
            {
                var (header, payload, deltas) = Encode(Mnist, new UpdateSpec { Codec = codec, Keep = keep, BlockCoordinates = 4096 }, crowd);

                Assert.True(UpdateHeader.TryParse(header.Bytes.Span, header.Shape, Start, out _, out var problem), problem);
                Assert.True(header.PayloadLength <= header.Shape.MaxPayloadLength);
                Assert.Equal(payload.Length, header.PayloadLength);
                Assert.InRange(UpdateParts.Cut(header, UpdateFormat.MinPartBytes).Count, 1, header.Shape.MaxParts(UpdateFormat.MinPartBytes));
                Assert.Equal(Math.Min(Mnist, (long)Math.Ceiling(keep * Mnist)), UpdateSamples.Decode(header, payload).Floats.LongCount(value => value != 0) + Underflows(deltas, header, payload));
            }
        }
    }

    [Fact]
    public void TryParse_BlocksAreLegalButTooLongTogether_IsRefusedWithBothNumbers()
    {
        var shape = Shape(Mnist, new UpdateSpec { Codec = UpdateCodecs.TopKInt8, BlockCoordinates = 4096 });
        var header = Encode(Mnist, new UpdateSpec { Codec = UpdateCodecs.TopKInt8, BlockCoordinates = 4096 }).Header.Bytes.ToArray();
        var (_, longest) = shape.BlockLengthBounds(0);

        Share(header, shape, longest, shape.MaxPayloadLength);
        Assert.True(UpdateHeader.TryParse(header, shape, Start, out _, out var none), none);

        Share(header, shape, longest, shape.MaxPayloadLength + 1);
        Assert.False(UpdateHeader.TryParse(header, shape, Start, out _, out var problem));
        Assert.Contains($"{shape.MaxPayloadLength + 1} bytes together; expected at most {shape.MaxPayloadLength}", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void MaxPayloadLength_OneInAHundred_IsCloseToWhatIsSent()
    {
        var (header, _, _) = Encode(1_000_000, new UpdateSpec { Codec = UpdateCodecs.TopKInt8 });

        Assert.InRange((double)header.Shape.MaxPayloadLength / header.PayloadLength, 1, 1.05);
    }

    [Fact]
    public void EncodeDeltas_TopK_SendsTheLargestOfTheWholeUpdateAndForetellsThem()
    {
        var (header, payload, deltas) = Encode(10_000, new UpdateSpec { Codec = UpdateCodecs.TopK, Keep = 0.05, BlockCoordinates = 1024 }, crowd: 700);
        var threshold = deltas.Select(Math.Abs).OrderDescending().ElementAt(499);

        var decoded = UpdateSamples.Decode(header, payload).Floats;

        Assert.Equal(deltas.Select(delta => Math.Abs(delta) >= threshold ? delta : 0), decoded);
    }

    [Theory]
    [InlineData(0.01, float.NaN, 7)]
    [InlineData(0.01, float.PositiveInfinity, 1023)]
    [InlineData(0.5, float.NegativeInfinity, 1024)]
    [InlineData(0.5, float.NaN, 9999)]
    public void EncodeDeltas_NotFinite_NamesTheFirstElement(double keep, float value, int at)
    {
        var shape = Shape(10_000, new UpdateSpec { Codec = UpdateCodecs.TopKInt8, Keep = keep, BlockCoordinates = 1024 });
        var deltas = Deltas(10_000, 10_000);
        deltas[at] = value;
        deltas[9999] = float.NaN;

        var refused = Assert.Throws<NonFiniteUpdateException>(() => UpdateEncoder.EncodeDeltas(shape, Start, deltas, [], [], Stream.Null));

        Assert.Equal(("weight", at), (refused.Tensor, refused.Element));
    }

    [Fact]
    public void Encode_AnotherSeed_RoundsOtherwiseAndOnlyWhereTheCodecDraws()
    {
        foreach (var codec in UpdateCodecs.All.Names)
        {
            foreach (var rounding in new[] { null, UpdateRoundings.Stochastic })
            {
                var update = new UpdateSpec { Codec = codec, Rounding = rounding };
                var draws = codec == UpdateCodecs.Ternary || (rounding is not null && UpdateCodecs.Rounds(codec));

                Assert.Equal(Encode(5000, update, seed: 1).Header.Digest, Encode(5000, update, seed: 1).Header.Digest);
                Assert.Equal(draws, Encode(5000, update, seed: 1).Header.Digest != Encode(5000, update, seed: 2).Header.Digest);
            }
        }
    }

    [Fact]
    public void TryAddSquares_AnyCodec_IsTheNormOfWhatIsDecoded()
    {
        foreach (var codec in UpdateCodecs.All.Names)
        {
            var (header, payload, _) = Encode(5000, new UpdateSpec { Codec = codec, BlockCoordinates = 1024, Keep = UpdateCodecs.Keeps(codec) ? 0.1 : null });
            var squares = new RunningSumOfSquares();
            var scratch = new float[1024];
            for (var block = 0; block < header.Shape.ParameterBlocks; block++)
            {
                var bytes = payload.AsSpan((int)header.BlockOffset(block), header.BlockLength(block));
                Assert.False(header.TryAddSquares(block, bytes[1..], scratch, squares));
                Assert.True(header.TryAddSquares(block, bytes, scratch, squares));
            }

            Assert.Equal(Reductions.Norm(UpdateSamples.Decode(header, payload).Floats), squares.Norm);
        }
    }

    /// <summary>Values that were sent and are zero in the codec's values.</summary>
    private static long Underflows(float[] deltas, UpdateHeader header, byte[] payload)
    {
        var decoded = UpdateSamples.Decode(header, payload).Floats;
        var kept = Math.Min(deltas.Length, (int)Math.Ceiling(((TopKCodec)header.Shape.Codec).Keep * deltas.Length));
        return deltas.Index().OrderByDescending(delta => Math.Abs(delta.Item)).ThenBy(delta => delta.Index).Take(kept).Count(delta => decoded[delta.Index] == 0);
    }

    private static void Share(byte[] header, UpdateShape shape, int longest, long total)
    {
        for (var block = 0; block < shape.BlockCount; block++)
        {
            var others = 4L * (shape.BlockCount - block - 1);
            var length = Math.Clamp(total - others, 4, Math.Min(longest, shape.BlockLengthBounds(block).Max));
            total -= length;
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(UpdateFormat.FixedHeaderBytes + (block * UpdateFormat.HeaderBytesPerBlock)), (uint)length);
        }

        Assert.Equal(0, total);
    }

    private static UpdateShape Shape(int parameters, UpdateSpec update) => UpdateShape.Create(UpdateSamples.Layout(parameters, 0, 0), update);

    private static (UpdateHeader Header, byte[] Payload, float[] Deltas) Encode(int parameters, UpdateSpec update, int? crowd = null, long seed = 0)
    {
        var deltas = Deltas(parameters, crowd ?? parameters);
        using var payload = new MemoryStream();
        var foretold = new float[parameters];
        var header = UpdateEncoder.EncodeDeltas(Shape(parameters, update), Start, deltas, [], [], payload, foretold, seed);
        Assert.Equal(foretold, UpdateSamples.Decode(header, payload.ToArray()).Floats);
        return (header, payload.ToArray(), deltas);
    }

    /// <summary>Distinct values that are not zero; those of the first <paramref name="crowd"/> coordinates are a thousand times larger.</summary>
    private static float[] Deltas(int parameters, int crowd)
    {
        var random = new DeterministicRandom(parameters);
        var deltas = new float[parameters];
        for (var i = 0; i < parameters; i++)
        {
            deltas[i] = (float)((random.NextGaussian() + 1e-4) * (i < crowd ? 1e-2 : 1e-5));
        }

        return deltas;
    }
}
