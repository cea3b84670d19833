namespace FedServerless.Compression;

/// <summary>
/// −s, 0 or s: TernGrad (Wen et al. 2017, arXiv:1705.07878, equation 1), <c>s = max|x|</c> of the group and a level of ±1 with
/// probability <c>|x| / s</c>. Five levels a byte in base 3, the first in the lowest place.
/// </summary>
internal sealed record TernaryCodec() : GroupedCodec(1)
{
    public override string Name => UpdateCodecs.Ternary;

    public override byte Id => 11;

    protected override int PackedLength(int coordinates) => (coordinates + PackingKernels.ThirdsAByte - 1) / PackingKernels.ThirdsAByte;

    protected override float Encode(ReadOnlySpan<float> group, Lots lots, Span<byte> packed)
    {
        Span<byte> levels = stackalloc byte[Group];
        var used = levels[..(PackingKernels.ThirdsAByte * PackedLength(group.Length))];
        used[group.Length..].Clear();
        var scale = Quantize(group, lots, atRandom: true, used[..group.Length]);
        PackingKernels.PackThirds(used, packed[..PackedLength(group.Length)]);
        return scale;
    }

    protected override bool TryDecode(ReadOnlySpan<byte> packed, float scale, Span<float> group)
    {
        Span<byte> levels = stackalloc byte[Group + PackingKernels.ThirdsOverhang];
        if (!PackingKernels.TryUnpackThirds(packed, levels)
            || levels[group.Length..(PackingKernels.ThirdsAByte * packed.Length)].ContainsAnyExcept((byte)0))
        {
            return false;
        }

        LevelKernels.Dequantize(levels[..group.Length], scale, group);
        return true;
    }
}
