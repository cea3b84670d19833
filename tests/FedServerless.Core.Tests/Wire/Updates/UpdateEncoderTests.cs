using FedServerless.Compression;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Core.Tests.Wire.Updates;

public sealed class UpdateEncoderTests
{
    private static readonly Digest Start = Digest.Of("start"u8);

    public static TheoryData<string> Codecs { get; } = [.. UpdateCodecs.All.Names];

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Encode_ThenParsedAndDecoded_GivesWhatTheEncoderForetold(string codec)
    {
        var (start, trained) = UpdateSamples.Models(seed: 5, parameters: 5000, buffers: 1500, integers: 700);
        var shape = UpdateShape.Create(start.Layout, UpdateCodecs.All.Get(codec), 1024);
        using var payload = new MemoryStream();
        var foretold = new float[start.Layout.ParameterCount];

        var written = UpdateEncoder.Encode(shape, Start, start, trained, payload, foretold);

        Assert.True(UpdateHeader.TryParse(written.Bytes.Span, shape, Start, out var read, out var problem), problem);
        Assert.Equal(written.Digest, read.Digest);
        Assert.Equal(payload.Length, read.PayloadLength);
        var (floats, integers) = UpdateSamples.Decode(read, payload.ToArray());
        Assert.Equal(foretold, floats[..foretold.Length]);
        Assert.Equal(trained.Buffers.ToArray(), floats[foretold.Length..]);
        Assert.Equal(trained.Integers, integers);
    }

    [Fact]
    public void Encode_Float32_CarriesExactDeltas()
    {
        var (start, trained) = UpdateSamples.Models(seed: 6, parameters: 1025, buffers: 0, integers: 0);
        var shape = UpdateShape.Create(start.Layout, UpdateCodecs.All.Get(UpdateCodecs.Float32), 1024);
        using var payload = new MemoryStream();

        var header = UpdateEncoder.Encode(shape, Start, start, trained, payload);

        var expected = trained.Values.Zip(start.Values, (after, before) => after - before);
        Assert.Equal(expected, UpdateSamples.Decode(header, payload.ToArray()).Floats);
    }

    [Fact]
    public void EncodeDeltas_SameDeltas_GivesTheSameBytesAsEncode()
    {
        var (start, trained) = UpdateSamples.Models(seed: 7, parameters: 2100, buffers: 3, integers: 2);
        var shape = UpdateShape.Create(start.Layout, UpdateCodecs.All.Get(UpdateCodecs.Int8), 1024);
        using var one = new MemoryStream();
        using var other = new MemoryStream();
        var deltas = new float[2100];
        for (var i = 0; i < deltas.Length; i++)
        {
            deltas[i] = trained.Values[i] - start.Values[i];
        }

        var first = UpdateEncoder.Encode(shape, Start, start, trained, one);
        var second = UpdateEncoder.EncodeDeltas(shape, Start, deltas, trained.Buffers, trained.Integers, other);

        Assert.Equal(first.Digest, second.Digest);
        Assert.Equal(one.ToArray(), other.ToArray());
    }

    [Theory]
    [InlineData(1024, "weight", 1024)]
    [InlineData(2100, "weight.buffer", 0)]
    public void Encode_NonFiniteValue_NamesTensorAndElement(int at, string tensor, long element)
    {
        var (start, trained) = UpdateSamples.Models(seed: 8, parameters: 2100, buffers: 3, integers: 0);
        trained.Values[at] = float.NaN;
        var shape = UpdateShape.Create(start.Layout, UpdateCodecs.All.Get(UpdateCodecs.Float16), 1024);

        var refused = Assert.Throws<NonFiniteUpdateException>(() => UpdateEncoder.Encode(shape, Start, start, trained, Stream.Null));

        Assert.Equal((tensor, element), (refused.Tensor, refused.Element));
    }

    [Fact]
    public void Encode_DeltaOverflows_IsRefused()
    {
        var (start, trained) = UpdateSamples.Models(seed: 8, parameters: 10, buffers: 0, integers: 0);
        start.Values[9] = -float.MaxValue;
        trained.Values[9] = float.MaxValue;
        var shape = UpdateShape.Create(start.Layout, UpdateCodecs.All.Get(UpdateCodecs.Float32), 1024);

        var refused = Assert.Throws<NonFiniteUpdateException>(() => UpdateEncoder.Encode(shape, Start, start, trained, Stream.Null));

        Assert.Equal(9, refused.Element);
    }

    [Fact]
    public void Encode_OtherLayout_Throws()
    {
        var (start, _) = UpdateSamples.Models(seed: 1, parameters: 10, buffers: 0, integers: 0);
        var (_, trained) = UpdateSamples.Models(seed: 1, parameters: 11, buffers: 0, integers: 0);
        var shape = UpdateShape.Create(start.Layout, UpdateCodecs.All.Get(UpdateCodecs.Float32), 1024);

        Assert.Throws<ArgumentException>(() => UpdateEncoder.Encode(shape, Start, start, trained, Stream.Null));
    }
}
