using System.Buffers.Binary;
using FedServerless.Compression;
using FedServerless.Core.Tests.Wire.Updates;
using FedServerless.Model;
using FedServerless.Wire;
using FedServerless.Wire.Downloads;

namespace FedServerless.Core.Tests.Wire.Downloads;

/// <summary>What a device makes of encoded models: a server, or whatever answers in its place, may send anything.</summary>
public sealed class EncodedModelReaderTests(ITestOutputHelper output)
{
    private const int Parameters = 3000;
    private const int Damaged = 5_000;

    private static readonly (ModelState Start, ModelState Trained) Models = UpdateSamples.Models(11, Parameters, 5, 3);
    private static readonly Digest Start = EncodedModels.DigestOf(Models.Start);
    private static readonly long Bytes = CanonicalModelFile.Create(Models.Start.Layout).Length;

    [Theory]
    [InlineData(UpdateCodecs.Float16, false)]
    [InlineData(UpdateCodecs.Int8, false)]
    [InlineData(UpdateCodecs.Int8, true)]
    [InlineData(UpdateCodecs.Float16, true)]
    public void Read_WhatWasWritten_IsWhatTheWriterSaid(string codec, bool onTop)
    {
        var (file, made) = Encode(codec, onTop, half: true);

        var read = Read(file, onTop);

        Assert.Equal(EncodedModels.DigestOf(made), EncodedModels.DigestOf(read));
    }

    // Every block's hash is in the file: what is accepted decodes to the model that was sent, unless the damage is in how it is rounded (byte 7),
    // which the digest of the result tells.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Read_DamagedInputs_AreRefusedOrTheSameModel(bool onTop)
    {
        var (file, made) = Encode(UpdateCodecs.Int8, onTop, half: false);
        var mutator = new Mutator(seed: 3, [file]);
        var accepted = 0;
        for (var i = 0; i < Damaged; i++)
        {
            var input = mutator.Next();
            try
            {
                var read = Read(input, onTop);
                accepted++;
                Assert.True(input[7] != file[7] || EncodedModels.DigestOf(read) == EncodedModels.DigestOf(made));
            }
            catch (InvalidDataException)
            {
                // The one exception that a caller expects.
            }
        }

        output.WriteLine($"{Damaged} encoded models: {accepted} accepted");
        Assert.InRange(accepted, 0, Damaged / 2);
    }

    [Fact]
    public void Read_EveryTruncation_IsRefused()
    {
        var (file, _) = Encode(UpdateCodecs.Int8, onTop: true, half: true);

        Assert.All(Enumerable.Range(0, file.Length), length => Assert.Throws<InvalidDataException>(() => Read(file[..length], onTop: true)));
    }

    [Fact]
    public void Read_DeltaOnAnotherStart_IsRefused()
    {
        var (file, _) = Encode(UpdateCodecs.Int8, onTop: true, half: false);

        Assert.Throws<InvalidDataException>(() => EncodedModelReader.Read(new MemoryStream(file), Models.Start.Layout.Digest, Bytes, Models.Trained.Clone(), EncodedModels.DigestOf(Models.Trained)));
        Assert.Throws<InvalidDataException>(() => EncodedModelReader.Read(new MemoryStream(file), Models.Start.Layout.Digest, Bytes, null, default));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public void Read_LengthIsNotTheLeases_IsRefused(int off)
    {
        var (file, _) = Encode(UpdateCodecs.Int8, onTop: false, half: false);

        Assert.Throws<InvalidDataException>(() => EncodedModelReader.Read(new MemoryStream(file), Models.Start.Layout.Digest, Bytes + off, null, default));
    }

    // A length from the file alone must not become memory: 2⁶² bytes of model, 2³¹ of header.
    [Theory]
    [InlineData(16, 0x4000_0000_0000_0000L)]
    [InlineData(8, 0x7FFF_FFFF_7FFF_FFFFL)]
    public void Read_NumbersBeyondTheFile_AllocateNothing(int at, long number)
    {
        var (file, _) = Encode(UpdateCodecs.Int8, onTop: false, half: false);
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(at), number);
        var before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Throws<InvalidDataException>(() => Read(file, onTop: false));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    // A sum beyond float32 is no number; a reader must say so in the one way that its caller expects.
    [Fact]
    public void Read_SumOverflows_IsRefusedOrNotTheModelPromised()
    {
        var start = Models.Start.Clone();
        start.Parameters.Fill(3e38f);
        var writer = new EncodedModelWriter(start.Layout, UpdateCodecs.All.Get(UpdateCodecs.Float32), Start, half: true);
        var file = EncodedModels.Write(writer, start, start: null, out _);

        var problem = Record.Exception(() => EncodedModelReader.Read(new MemoryStream(file), start.Layout.Digest, Bytes, start.Clone(), Start));

        Assert.True(problem is null or InvalidDataException, problem?.ToString());
    }

    private static ModelState Read(byte[] file, bool onTop) =>
        EncodedModelReader.Read(new MemoryStream(file), Models.Start.Layout.Digest, Bytes, onTop ? Models.Start.Clone() : null, onTop ? Start : default);

    private static (byte[] File, ModelState Made) Encode(string codec, bool onTop, bool half)
    {
        var writer = new EncodedModelWriter(Models.Start.Layout, UpdateCodecs.All.Get(codec), onTop ? Start : null, half);
        return (EncodedModels.Write(writer, Models.Trained, onTop ? Models.Start : null, out var made), made);
    }
}
