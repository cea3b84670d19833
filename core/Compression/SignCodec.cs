using FedServerless.Numerics;

namespace FedServerless.Compression;

/// <summary>
/// One bit a value: −s where the bit is set, s elsewhere, <c>s</c> the mean of |x| over the group (scaled signSGD; Karimireddy et al.
/// 2019, arXiv:1901.09847, algorithm 1). The lowest bit first; zeros count as positive.
/// </summary>
internal sealed record SignCodec() : GroupedCodec(1)
{
    public override string Name => UpdateCodecs.Sign;

    public override byte Id => 12;

    protected override int PackedLength(int coordinates) => (coordinates + 7) / 8;

    protected override float Encode(ReadOnlySpan<float> group, Lots lots, Span<byte> packed)
    {
        PackingKernels.PackSigns(group, packed[..PackedLength(group.Length)]);
        Span<double> lanes = stackalloc double[Reductions.Lanes];
        lanes.Clear();
        LaneKernels.AddMagnitudes(group, lanes);
        return (float)(LaneKernels.SumTree(lanes) / group.Length);
    }

    protected override bool TryDecode(ReadOnlySpan<byte> packed, float scale, Span<float> group)
    {
        // What stands past the last value is zero.
        if ((group.Length & 7) != 0 && packed[^1] >> (group.Length & 7) != 0)
        {
            return false;
        }

        PackingKernels.UnpackSigns(packed, scale, group);
        return true;
    }
}
