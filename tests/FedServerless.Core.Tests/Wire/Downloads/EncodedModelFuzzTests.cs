using FedServerless.Compression;
using FedServerless.Core.Tests.Wire.Updates;
using FedServerless.Model;
using FedServerless.Wire;
using FedServerless.Wire.Downloads;
using FedServerless.Wire.Updates;

namespace FedServerless.Core.Tests.Wire.Downloads;

/// <summary>
/// Two hundred thousand damaged encoded models, the same ones in every run: one kind of exception escapes, what is accepted is what was
/// sent, and no input makes the reader allocate beyond its bound.
/// </summary>
public sealed class EncodedModelFuzzTests(ITestOutputHelper output)
{
    private const int Inputs = 150_000;
    private const int Resealed = 50_000;

    // The file's header and the model, twice, one block of each kind, and what an exception costs.
    private const int Bound = 128 << 10;

    private static readonly (ModelState Start, ModelState Trained) Models = UpdateSamples.Models(5, 40, 5, 3);
    private static readonly Digest Start = EncodedModels.DigestOf(Models.Start);
    private static readonly long Bytes = CanonicalModelFile.Create(Models.Start.Layout).Length;

    [Fact]
    public void Read_DamagedInputs_AreRefusedOrWhatWasSent()
    {
        var files = new[] { (UpdateCodecs.Float16, false), (UpdateCodecs.Int8, false), (UpdateCodecs.Float32, false), (UpdateCodecs.Int8, true), (UpdateCodecs.Float16, true) }
            .Select(kind => Encode(kind.Item1, kind.Item2)).ToArray();
        var sent = files.Select(file => EncodedModels.DigestOf(file.Made)).ToHashSet();
        var mutator = new Mutator(seed: 12, [.. files.Select(file => file.Bytes)]);
        var (accepted, most) = (0, 0L);
        for (var i = 0; i < Inputs; i++)
        {
            var input = mutator.Next();
            var before = GC.GetAllocatedBytesForCurrentThread();
            var read = TryRead(input, onTop: i % 2 == 0);
            most = Math.Max(most, i < 1000 ? 0 : GC.GetAllocatedBytesForCurrentThread() - before);
            if (read is not null)
            {
                // How results are rounded is the one byte that no hash covers; the digest of what comes out does.
                accepted++;
                Assert.True(input[7] != 0 || sent.Contains(EncodedModels.DigestOf(read)));
            }
        }

        output.WriteLine($"{Inputs} encoded models: {accepted} accepted, at most {most} bytes allocated, bound {Bound}");
        Assert.InRange(most, 1, Bound);
        Assert.InRange(accepted, 1000, Inputs - 1000);
    }

    // A liar can hash as well as anybody: behind right hashes every block is decoded.
    [Theory]
    [InlineData(UpdateCodecs.Float16)]
    [InlineData(UpdateCodecs.Int8)]
    [InlineData(UpdateCodecs.Float32)]
    public void Read_DamagedBlocksBehindRightHashes_AreRefusedOrFinite(string codec)
    {
        var (file, _) = Encode(codec, onTop: true);
        var shape = UpdateShape.Create(Models.Start.Layout, UpdateCodecs.All.Get(codec), UpdateFormat.MaxBlockCoordinates);
        var payload = file.AsSpan(EncodedModelPrelude.Size, file.Length - EncodedModelPrelude.Size - shape.HeaderLength).ToArray();
        var mutator = new Mutator(seed: 13, [payload]);
        var accepted = 0;
        for (var i = 0; i < Resealed; i++)
        {
            var damaged = mutator.Next();
            if (damaged.Length != payload.Length)
            {
                continue;
            }

            damaged.CopyTo(file.AsSpan(EncodedModelPrelude.Size));
            var trailer = file.AsSpan(file.Length - shape.HeaderLength);
            for (var (block, at) = (0, 0); block < shape.BlockCount; block++)
            {
                var length = shape.BlockLengthBounds(block).Max;
                UpdateHeaderLayout.WriteBlock(trailer, block, damaged.AsSpan(at, length));
                at += length;
            }

            if (TryRead(file, onTop: true) is { } read)
            {
                accepted++;
                Assert.True(read.Values.All(float.IsFinite));
            }
        }

        Assert.InRange(accepted, 1000, Resealed);
    }

    // A few bytes that stand for very many: a layout of 2³⁰ parameters in a codec that leaves them out, or in one that cannot.
    [Theory]
    [InlineData(UpdateCodecs.TopK)]
    [InlineData(UpdateCodecs.RandomK)]
    [InlineData(UpdateCodecs.Ternary)]
    [InlineData(UpdateCodecs.Sign)]
    [InlineData(UpdateCodecs.Int4)]
    [InlineData(UpdateCodecs.Int8)]
    [InlineData(UpdateCodecs.Float16)]
    public void Read_SmallFileOfAHugeModel_IsRefusedBeforeItBecomesMemory(string codec)
    {
        const int Parameters = 1 << 30;
        var layout = TensorLayout.Create([new TensorSpec("w", [Parameters], TensorRole.Parameter)]);
        var header = CanonicalModelFile.Create(layout).Header.Span;
        var length = header.Length + ((long)sizeof(float) * Parameters);
        byte[] file =
        [
            .. new EncodedModelPrelude(UpdateCodecs.All.Get(codec).Id, false, UpdateFormat.MaxBlockCoordinates, header.Length, length, default).ToBytes(),
            .. header, .. new byte[1 << 19],
        ];
        var before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Throws<InvalidDataException>(() => EncodedModelReader.Read(new MemoryStream(file), layout.Digest, length, null, default));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2 << 20);
    }

    // Small blocks make many hashes: they are not read before the file is known to have them.
    [Fact]
    public void Read_MoreHashesThanTheFileHasBytes_AllocatesNothingForThem()
    {
        const int Parameters = 400 << 20;
        var layout = TensorLayout.Create([new TensorSpec("w", [Parameters], TensorRole.Parameter)]);
        var header = CanonicalModelFile.Create(layout).Header.Span;
        var length = header.Length + ((long)sizeof(float) * Parameters);
        byte[] file = [.. new EncodedModelPrelude(UpdateCodecs.All.Get(UpdateCodecs.Int8).Id, false, UpdateFormat.MinBlockCoordinates, header.Length, length, default).ToBytes(), .. header];
        var before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Throws<InvalidDataException>(() => EncodedModelReader.Read(new MemoryStream(file), layout.Digest, length, null, default));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    private static ModelState? TryRead(byte[] input, bool onTop)
    {
        try
        {
            return EncodedModelReader.Read(
                new MemoryStream(input), Models.Start.Layout.Digest, Bytes, onTop ? Models.Start.Clone() : null, onTop ? Start : default);
        }
        catch (InvalidDataException)
        {
            // The one exception that a caller expects.
            return null;
        }
    }

    private static (byte[] Bytes, ModelState Made) Encode(string codec, bool onTop)
    {
        var writer = new EncodedModelWriter(Models.Start.Layout, UpdateCodecs.All.Get(codec), onTop ? Start : null, half: false);
        return (EncodedModels.Write(writer, Models.Trained, onTop ? Models.Start : null, out var made), made);
    }
}
