namespace FedServerless.Compression;

/// <summary>Two values a byte, the lower half first: two's complement from −7 to 7.</summary>
/// <param name="AtRandom">True to round stochastically. The bytes do not tell.</param>
internal sealed record Int4Codec(bool AtRandom = false) : GroupedCodec(7)
{
    public override string Name => UpdateCodecs.Int4;

    public override byte Id => 10;

    protected override int PackedLength(int coordinates) => (coordinates + 1) / 2;

    protected override float Encode(ReadOnlySpan<float> group, Lots lots, Span<byte> packed)
    {
        Span<byte> levels = stackalloc byte[Group];
        var used = levels[..(2 * PackedLength(group.Length))];
        used[^1] = 0;
        var scale = Quantize(group, lots, AtRandom, used[..group.Length]);
        PackingKernels.PackHalves(used, packed[..(used.Length / 2)]);
        return scale;
    }

    protected override bool TryDecode(ReadOnlySpan<byte> packed, float scale, Span<float> group)
    {
        Span<byte> levels = stackalloc byte[Group];
        var used = levels[..(2 * packed.Length)];
        if (!PackingKernels.TryUnpackHalves(packed, used) || (used.Length != group.Length && used[^1] != 0))
        {
            return false;
        }

        LevelKernels.Dequantize(used[..group.Length], scale, group);
        return true;
    }
}
