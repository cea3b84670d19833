using System.Runtime.InteropServices;

namespace FedServerless.Compression;

/// <summary>
/// The k-th largest magnitude, exactly, in two passes over the values in any pieces: magnitudes are compared by their bits, whose upper
/// half is counted first, then the lower half of those that share the upper one. Memory does not grow with the values.
/// </summary>
internal sealed class MagnitudeSelect
{
    private const int Magnitude = 0x7FFF_FFFF;
    private const int LowBits = 16;
    private const int LowMask = (1 << LowBits) - 1;

    private readonly int[] _upper = new int[1 << (31 - LowBits)];
    private readonly int[] _lower = new int[1 << LowBits];
    private int _bin = -1;
    private long _left;

    /// <summary>The first pass.</summary>
    public void CountUpper(ReadOnlySpan<float> values)
    {
        foreach (var bits in MemoryMarshal.Cast<float, int>(values))
        {
            _upper[(bits & Magnitude) >> LowBits]++;
        }
    }

    /// <summary>Between the passes.</summary>
    /// <param name="rank">From 1.</param>
    /// <returns>A lower bound of the magnitude of that rank: its bits with the lower half zero; 0 when there are fewer values.</returns>
    public int Narrow(long rank)
    {
        _left = rank;
        for (_bin = _upper.Length - 1; _bin >= 0 && _upper[_bin] < _left; _bin--)
        {
            _left -= _upper[_bin];
        }

        return Math.Max(0, _bin) << LowBits;
    }

    /// <summary>The second pass, over the same values; those below what <see cref="Narrow"/> returned may be left out.</summary>
    public void CountLower(ReadOnlySpan<float> values)
    {
        foreach (var bits in MemoryMarshal.Cast<float, int>(values))
        {
            if ((bits & Magnitude) >> LowBits == _bin)
            {
                _lower[bits & LowMask]++;
            }
        }
    }

    /// <summary>
    /// The bits of the magnitude of the rank asked for, and how many of that very magnitude are among the ranks up to it. A magnitude of
    /// zero is never chosen: then it is the smallest there is above zero, as often as it occurs.
    /// </summary>
    public (int Threshold, long Ties) Result()
    {
        if (_bin < 0)
        {
            return (1, long.MaxValue);
        }

        var (low, left) = (LowMask, _left);
        for (; low > 0 && _lower[low] < left; low--)
        {
            left -= _lower[low];
        }

        var threshold = (_bin << LowBits) | low;
        return threshold == 0 ? (1, long.MaxValue) : (threshold, left);
    }
}
