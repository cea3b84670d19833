using System.Text;
using FedServerless.Compression;
using FedServerless.Core.Tests.Model;
using FedServerless.Model;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Core.Tests.Wire.Updates;

/// <summary>
/// Over a million damaged inputs, the same ones in every run: nothing may escape as an exception, what is accepted must be
/// sound, and no input may make a reader allocate beyond its stated bound.
/// </summary>
public sealed class FormatFuzzTests(ITestOutputHelper output)
{
    private const int Headers = 480_000;
    private const int Blocks = 900_000;
    private const int Models = 120_000;

    private static readonly Digest Start = Digest.Of("start"u8);

    [Fact]
    public void UpdateHeader_DamagedInputs_AreRefusedOrSound()
    {
        var shape = UpdateShape.Create(UpdateSamples.Layout(2100, 5, 3), UpdateCodecs.All.Get(UpdateCodecs.Int8), 1024);
        var seeds = new List<byte[]> { Header(shape, 1), Header(shape, 2), new byte[shape.HeaderLength] };
        var mutator = new Mutator(seed: 1, seeds);
        var bound = 4096 + (2 * shape.HeaderLength);
        var (accepted, most) = (0, 0L);
        var warming = new Mutator(seed: 1, seeds);
        for (var i = 0; i < 10_000; i++)
        {
            // What the runtime makes once for each way to refuse is no input's doing.
            UpdateHeader.TryParse(warming.Next(), shape, Start, out _, out _);
        }

        for (var i = 0; i < Headers; i++)
        {
            var input = mutator.Next();
            var before = GC.GetAllocatedBytesForCurrentThread();
            var legal = UpdateHeader.TryParse(input, shape, Start, out var header, out _);
            most = Math.Max(most, GC.GetAllocatedBytesForCurrentThread() - before);
            if (legal)
            {
                accepted++;
                Assert.True(IsSound(header!, input, seeds[0]));
            }
        }

        output.WriteLine($"{Headers} update headers: {accepted} accepted (only hashes differ), at most {most} bytes allocated, bound {bound}");
        Assert.InRange(most, 1, bound);
        Assert.InRange(accepted, 1000, Headers - 1000);
    }

    [Fact]
    public void UpdateHeader_DamagedInputsOfVariableLength_AreRefusedOrWithinTheirBounds()
    {
        var shape = UpdateShape.Create(
            UpdateSamples.Layout(20_000, 5, 3), new UpdateSpec { Codec = UpdateCodecs.TopKInt8, Keep = 0.05, BlockCoordinates = 1024 });
        var (start, trained) = UpdateSamples.Models(3, 20_000, 5, 3);
        var mutator = new Mutator(seed: 7, [UpdateEncoder.Encode(shape, Start, start, trained, Stream.Null).Bytes.ToArray()]);
        var (accepted, tooLong) = (0, 0);
        for (var i = 0; i < Headers / 4; i++)
        {
            if (!UpdateHeader.TryParse(mutator.Next(), shape, Start, out var header, out var problem))
            {
                tooLong += problem.Contains("together", StringComparison.Ordinal) ? 1 : 0;
                continue;
            }

            accepted++;
            Assert.True(header.PayloadLength <= shape.MaxPayloadLength);
            Assert.All(Enumerable.Range(0, shape.BlockCount), block => Assert.InRange(header.BlockLength(block), shape.BlockLengthBounds(block).Min, shape.BlockLengthBounds(block).Max));
        }

        output.WriteLine($"{Headers / 4} headers of variable length: {accepted} accepted, {tooLong} with blocks too long together");
        Assert.InRange(accepted, 1000, (Headers / 4) - 1000);
        Assert.True(tooLong > 0);
    }

    [Fact]
    public void UpdateBlocks_DamagedInputs_AreRefusedOrFinite()
    {
        var random = new Random(2);
        var lengths = new[] { 1, 7, 16, 33, 64, 100 };
        var targets = UpdateCodecs.All.Select(codec => UpdateCodecs.Of(new UpdateSpec { Codec = codec.Name, Keep = 0.2 })).SelectMany(codec => lengths.Select(length => (codec, Seeds: Encoded(codec, length, random), length)))
            .Select((target, i) => (target.codec, Mutator: new Mutator(i, target.Seeds), Values: new float[target.length])).ToArray();
        var (accepted, most) = (0, 0L);
        foreach (var (codec, _, values) in targets)
        {
            // What a thread keeps for sparse blocks, and what the runtime makes once.
            codec.TryDecode(Encoded(codec, values.Length, random)[0], values);
        }

        for (var i = 0; i < Blocks; i++)
        {
            var (codec, mutator, values) = targets[i % targets.Length];
            var input = mutator.Next();
            var before = GC.GetAllocatedBytesForCurrentThread();
            var legal = codec.TryDecode(input, values);
            most = Math.Max(most, GC.GetAllocatedBytesForCurrentThread() - before);
            if (legal)
            {
                accepted++;
                foreach (var value in values)
                {
                    if (!float.IsFinite(value))
                    {
                        Assert.Fail($"{codec.Name} decoded {Convert.ToHexString(input)} to {value}.");
                    }
                }
            }
        }

        output.WriteLine($"{Blocks} blocks over {targets.Length} codecs and lengths: {accepted} accepted, at most {most} bytes allocated");

        // A mask's generator, and what the runtime makes once: nothing that a block asks for, which could be 2²⁴ values.
        Assert.InRange(most, 0, 8192);
        Assert.InRange(accepted, 1000, Blocks - 1000);
    }

    [Fact]
    public void UpdateHeader_DamagedBlocks_NeverVerify()
    {
        var shape = UpdateShape.Create(UpdateSamples.Layout(40, 5, 3), UpdateCodecs.All.Get(UpdateCodecs.Float16), 1024);
        var (start, trained) = UpdateSamples.Models(9, 40, 5, 3);
        using var payload = new MemoryStream();
        var header = UpdateEncoder.Encode(shape, Start, start, trained, payload);
        var original = payload.ToArray().AsSpan(0, header.BlockLength(0)).ToArray();
        var mutator = new Mutator(seed: 3, [original]);
        for (var i = 0; i < 50_000; i++)
        {
            var input = mutator.Next();
            Assert.Equal(input.SequenceEqual(original), header.VerifyBlock(0, input));
        }
    }

    [Fact]
    public void SafetensorsHeader_DamagedInputs_AreRefusedOrSound()
    {
        var layout = TensorLayout.Create([new("w", [2, 3], TensorRole.Parameter), new("m", [2], TensorRole.Buffer), new("n", [], TensorRole.Integer)]);
        var canonical = ModelStateFile.ToBytes(new ModelState(layout, new float[8], new long[1]), new Dictionary<string, string> { ["k"] = "v" });
        var bare = SafetensorsFile.Of("""{"w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}""", new byte[8]);
        var tokens = new[] { "{", "}", "[", "]", ",", ":", "\"", "\\ud800", "\\u0077", "99999999999999999999", "2147483648", "-1", "1e9", "0", "\"w\"", "\"dtype\"", "\"__metadata__\":{}," };
        var mutator = new Mutator(seed: 4, [canonical, bare], [.. tokens.Select(Encoding.UTF8.GetBytes)]);
        var (accepted, most) = (0, 0L);
        for (var i = 0; i < Models; i++)
        {
            var input = mutator.Next();
            var length = i % 8 == 0 ? mutator.Number() : input.Length;
            var before = GC.GetAllocatedBytesForCurrentThread();
            var legal = SafetensorsHeader.TryParse(input, length, out var header, out _);
            var excess = GC.GetAllocatedBytesForCurrentThread() - before - (SafetensorsHeader.MaxAllocationPerByte * input.Length);
            most = Math.Max(most, excess);
            if (legal)
            {
                accepted++;
                Assert.True(IsSound(header!));
            }
        }

        output.WriteLine($"{Models} safetensors headers: {accepted} accepted, bytes allocated beyond {SafetensorsHeader.MaxAllocationPerByte} a byte: at most {most}");
        Assert.True(most <= SafetensorsHeader.MaxAllocationBeside);
        Assert.InRange(accepted, 1000, Models - 1000);
    }

    private static byte[] Header(UpdateShape shape, int seed)
    {
        var (start, trained) = UpdateSamples.Models(seed, 2100, 5, 3);
        return UpdateEncoder.Encode(shape, Start, start, trained, Stream.Null).Bytes.ToArray();
    }

    private static byte[][] Encoded(IUpdateCodec codec, int length, Random random)
    {
        var blocks = new byte[3][];
        for (var i = 0; i < blocks.Length; i++)
        {
            var values = new float[length];
            for (var j = 0; j < length; j++)
            {
                values[j] = MathF.ScaleB(random.NextSingle() - 0.5f, 60 * (i - 1));
            }

            var block = new byte[codec.EncodedLength(length).Max];
            blocks[i] = block[..codec.Encode(values, block)];
        }

        return blocks;
    }

    /// <summary>Accepted: everything but the blocks' hashes is as in an undamaged header.</summary>
    private static bool IsSound(UpdateHeader header, ReadOnlySpan<byte> input, ReadOnlySpan<byte> seed)
    {
        var sound = input.Length == seed.Length
            && input[..UpdateFormat.FixedHeaderBytes].SequenceEqual(seed[..UpdateFormat.FixedHeaderBytes])
            && header.Digest == Digest.Of(input);
        for (var block = 0; block < header.Shape.BlockCount; block++)
        {
            var entry = UpdateFormat.FixedHeaderBytes + (block * UpdateFormat.HeaderBytesPerBlock);
            sound &= input.Slice(entry, 4).SequenceEqual(seed.Slice(entry, 4));
        }

        return sound && header.PayloadLength == header.Shape.MaxPayloadLength;
    }

    /// <summary>Accepted: every vector lies within the file, and together they fill it.</summary>
    private static bool IsSound(SafetensorsHeader header)
    {
        var floats = header.FloatSegments(0, header.Layout.FloatCount);
        var integers = header.IntegerSegments(0, header.Layout.IntegerCount);
        var bytes = floats.Sum(segment => 4 * segment.Count) + integers.Sum(segment => 8 * segment.Count);
        return header.Length + bytes == header.FileLength
            && floats.All(segment => segment.FileOffset >= header.Length && segment.FileOffset + (4 * segment.Count) <= header.FileLength)
            && integers.All(segment => segment.FileOffset >= header.Length && segment.FileOffset + (8 * segment.Count) <= header.FileLength);
    }
}
