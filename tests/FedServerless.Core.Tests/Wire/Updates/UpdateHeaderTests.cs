using System.Buffers.Binary;
using System.Security.Cryptography;
using FedServerless.Compression;
using FedServerless.Model;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Core.Tests.Wire.Updates;

public sealed class UpdateHeaderTests
{
    private static readonly Digest Start = Digest.Of("start"u8);
    private static readonly UpdateShape Shape = ShapeOf(UpdateCodecs.Int8);

    [Fact]
    public void Bytes_OfAnUpdate_AreThoseOfTheSpecification()
    {
        var (header, payload) = Encode();

        using var expected = new MemoryStream();
        using var writer = new BinaryWriter(expected);
        writer.Write("FSU1"u8);
        writer.Write((ushort)1);
        writer.Write((byte)3);
        writer.Write((byte)0);
        writer.Write(Shape.Layout.Digest.AsSpan());
        writer.Write(Start.AsSpan());
        writer.Write(1024u);
        writer.Write(2100ul);
        writer.Write(1500ul);
        writer.Write(700ul);
        writer.Write(7u);
        var at = 0;
        foreach (var length in new[] { 1028, 1028, 56, 4096, 1904, 4096, 1504 })
        {
            writer.Write(length);
            writer.Write(SHA256.HashData(payload.AsSpan(at, length)).AsSpan(0, 16));
            at += length;
        }

        Assert.Equal(expected.ToArray(), header.Bytes.ToArray());
        Assert.Equal(at, payload.Length);
    }

    [Fact]
    public void LayoutDigest_HandBuiltBytes_Matches()
    {
        var layout = TensorLayout.Create([new("n", [], TensorRole.Integer), new("wé", [2, 3], TensorRole.Parameter)]);

        var bytes = Convert.FromHexString(
            "6665642D6C61796F75742D31" + "02000000"
            + "03000000" + "77C3A9" + "00000000" + "02000000" + "02000000" + "03000000"
            + "01000000" + "6E" + "02000000" + "00000000");

        Assert.Equal(Digest.Of(bytes), layout.Digest);
    }

    [Theory]
    [InlineData(0, "f", "'FSU1'")]
    [InlineData(4, "\u0002", "Upgrade the server")]
    [InlineData(5, "\u0001", "Upgrade the server")]
    [InlineData(4, "\0", "format version 0")]
    [InlineData(6, "\u0001", "codec id is 1; expected 3, int8")]
    [InlineData(7, "\u0001", "flags are 1")]
    [InlineData(8, "x", "tensor layout")]
    [InlineData(39, "x", "tensor layout")]
    [InlineData(40, "x", "this round started from")]
    [InlineData(71, "x", "this round started from")]
    [InlineData(73, "\b", "2048 coordinates a block; expected 1024")]
    [InlineData(76, "\u0035", "2101 parameters; expected 2100")]
    [InlineData(91, "\u0080", "buffer values; expected 1500")]
    [InlineData(92, "\u00bb", "699 integers; expected 700")]
    [InlineData(100, "\b", "8 blocks; expected 7")]
    [InlineData(103, "\u0080", "blocks; expected 7")]
    [InlineData(104, "\u0003", "Block 0 of the update has 1027 bytes; expected 1028")]
    [InlineData(104, "\u0005", "Block 0 of the update has 1029 bytes; expected 1028")]
    [InlineData(107, "\u0080", "Block 0 of the update has 2147484676 bytes")]
    [InlineData(224, "\u0000", "Block 6 of the update has 1280 bytes; expected 1504")]
    public void TryParse_OneFieldWrong_SaysWhichAndWhatWouldBeRight(int at, string value, string expected)
    {
        var bytes = Encode().Header.Bytes.ToArray();
        Assert.NotEqual((byte)value[0], bytes[at]);
        bytes[at] = (byte)value[0];

        Assert.False(UpdateHeader.TryParse(bytes, Shape, Start, out var header, out var problem));
        Assert.Null(header);
        Assert.Contains(expected, problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(20)]
    public void TryParse_LengthOffByAnything_IsRefused(int difference)
    {
        var bytes = Encode().Header.Bytes.ToArray();
        Array.Resize(ref bytes, bytes.Length + difference);

        Assert.False(UpdateHeader.TryParse(bytes, Shape, Start, out _, out var problem));
        Assert.Contains("expected 244", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void TryParse_EveryTruncation_IsRefused()
    {
        var bytes = Encode().Header.Bytes.ToArray();
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.False(UpdateHeader.TryParse(bytes.AsSpan(0, length), Shape, Start, out _, out _));
        }
    }

    [Fact]
    public void TryParse_NewerVersionOfAnyLength_SaysSo()
    {
        var bytes = new byte[UpdateFormat.FixedHeaderBytes];
        "FSU1"u8.CopyTo(bytes);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(4), UpdateFormat.Version + 1);

        Assert.False(UpdateHeader.TryParse(bytes, Shape, Start, out _, out var problem));
        Assert.Contains("format version 2", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void VerifyBlock_AnyBitFlipped_IsFalse()
    {
        var (header, payload) = Encode();
        var block = payload.AsSpan((int)header.BlockOffset(2), header.BlockLength(2)).ToArray();
        for (var bit = 0; bit < 8 * block.Length; bit++)
        {
            block[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(header.VerifyBlock(2, block));
            block[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.True(header.VerifyBlock(2, block));
        Assert.False(header.VerifyBlock(2, block.AsSpan(1)));
        Assert.False(header.VerifyBlock(2, []));
    }

    [Fact]
    public void VerifyBlock_AnotherBlockOfTheSameLength_IsFalse()
    {
        var (header, payload) = Encode();

        Assert.False(header.VerifyBlock(0, payload.AsSpan((int)header.BlockOffset(1), header.BlockLength(1))));
    }

    [Fact]
    public void TryDecodeBlock_NonFiniteBuffer_IsFalse()
    {
        var (header, payload) = Encode();
        var block = payload.AsSpan((int)header.BlockOffset(4), header.BlockLength(4)).ToArray();
        var values = new float[header.Shape.ValuesOf(4).Count];
        Assert.True(header.TryDecodeBlock(4, block, values));

        BinaryPrimitives.WriteSingleLittleEndian(block.AsSpan(^4), float.NaN);

        Assert.False(header.TryDecodeBlock(4, block, values));
    }

    [Fact]
    public void TryDecodeBlock_WrongLength_IsFalse()
    {
        var (header, _) = Encode();

        Assert.False(header.TryDecodeBlock(0, new byte[1027], new float[1024]));
        Assert.False(header.TryDecodeBlock(5, new byte[4095], new long[512]));
    }

    [Fact]
    public void TryDecodeBlock_WrongKindOrDestination_Throws()
    {
        var (header, _) = Encode();

        Assert.Throws<ArgumentOutOfRangeException>(() => header.TryDecodeBlock(5, new byte[4096], new float[1024]));
        Assert.Throws<ArgumentOutOfRangeException>(() => header.TryDecodeBlock(4, new byte[4096], new long[512]));
        Assert.Throws<ArgumentOutOfRangeException>(() => header.TryDecodeBlock(0, new byte[1028], new float[1023]));
        Assert.Throws<ArgumentOutOfRangeException>(() => header.BlockOffset(7));
    }

    private static UpdateShape ShapeOf(string codec) =>
        UpdateShape.Create(UpdateSamples.Layout(2100, 1500, 700), UpdateCodecs.All.Get(codec), 1024);

    private static (UpdateHeader Header, byte[] Payload) Encode()
    {
        var (start, trained) = UpdateSamples.Models(seed: 11, parameters: 2100, buffers: 1500, integers: 700);
        using var payload = new MemoryStream();
        var header = UpdateEncoder.Encode(Shape, Start, start, trained, payload);
        return (header, payload.ToArray());
    }
}
