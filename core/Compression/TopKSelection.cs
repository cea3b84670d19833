using System.Diagnostics;

namespace FedServerless.Compression;

/// <summary>
/// Which deltas of a whole update are sent: the k of largest magnitude, zeros never, and of equal ones those at the lowest coordinates.
/// That says it all, so two ways to find them may share the work.
/// </summary>
/// <remarks>
/// Small shares: a sample bounds the threshold from below, one pass over memory collects what is above the bound (a little more than
/// k), and only that is selected from. Large shares, and the rare sample that misled: two passes of <see cref="MagnitudeSelect"/>, and
/// the blocks are looked at once more when they are written. Either way memory beyond the models is a small multiple of what is sent,
/// or constant. Blocks are taken in order, each once.
/// </remarks>
internal sealed class TopKSelection
{
    /// <summary>Up to one in so many is kept: the candidates are held. Above, they would take more memory than they save.</summary>
    private const int HoldUpToOneIn = 16;

    private const int SampleRun = 16;
    private const int SampleRuns = 4096;
    private const int Piece = 8192;
    private const int Magnitude = 0x7FFF_FFFF;
    private const int FirstNotFinite = 0x7F80_0000;

    private readonly int _threshold;
    private readonly bool _held;
    private long _ties;
    private int[] _positions;
    private float[] _values;
    private readonly int _count;
    private int _next;

    private TopKSelection(int threshold, long ties) => (_threshold, _ties, _positions, _values) = (threshold, ties, [], []);

    private TopKSelection(int[] positions, float[] values, int count) =>
        (_positions, _values, _count, _held) = (positions, values, count, true);

    /// <summary>False when blocks are taken from what is held, without their values.</summary>
    public bool NeedsValues => !_held;

    /// <summary>Position of the first value that is NaN or infinite, where that was seen; otherwise −1. Where values are needed, they are to be checked.</summary>
    public int NonFinite { get; private init; } = -1;

    /// <summary>Looks at the whole update.</summary>
    /// <param name="deltas">1 or more.</param>
    /// <param name="keep">k, from 1 to their number.</param>
    public static TopKSelection Of(in UpdateDeltas deltas, int keep)
    {
        Debug.Assert(keep >= 1 && keep <= deltas.Length);
        return keep <= deltas.Length / HoldUpToOneIn && TryHold(deltas, keep) is { } held ? held : Count(deltas, keep);
    }

    /// <summary>The next block's share, with places relative to its first coordinate. The spans are good until the next call.</summary>
    public void Take(ReadOnlySpan<float> block, int first, int length, out ReadOnlySpan<int> indices, out ReadOnlySpan<float> values)
    {
        if (_held)
        {
            TakeHeld(first, length, out indices, out values);
        }
        else
        {
            Pick(block, out indices, out values);
        }
    }

    private static TopKSelection Count(in UpdateDeltas deltas, int keep)
    {
        var select = new MagnitudeSelect();
        var scratch = new float[Math.Min(Piece, deltas.Length)];
        for (var first = 0; first < deltas.Length; first += Piece)
        {
            select.CountUpper(deltas.Read(first, Math.Min(Piece, deltas.Length - first), scratch));
        }

        select.Narrow(keep);
        for (var first = 0; first < deltas.Length; first += Piece)
        {
            select.CountLower(deltas.Read(first, Math.Min(Piece, deltas.Length - first), scratch));
        }

        var (threshold, ties) = select.Result();
        return new TopKSelection(threshold, ties);
    }

    private static TopKSelection? TryHold(in UpdateDeltas deltas, int keep)
    {
        var bound = Math.Max(1, Bound(deltas, keep));
        var room = (int)Math.Min(deltas.Length, (4L * keep) + (2 * Piece));
        var (positions, values) = (new int[room], new float[room]);
        var count = 0;
        for (var first = 0; first < deltas.Length; first += Piece)
        {
            var length = Math.Min(Piece, deltas.Length - first);
            if (room - count < length)
            {
                return null;
            }

            var start = deltas.AreStored ? [] : deltas.Start.Slice(first, length);
            count += TopKKernels.Collect(deltas.Trained.Slice(first, length), start, bound, first, positions.AsSpan(count), values.AsSpan(count));
        }

        for (var i = 0; i < count; i++)
        {
            if (!float.IsFinite(values[i]))
            {
                return new TopKSelection(positions, values, 0) { NonFinite = positions[i] };
            }
        }

        // Fewer than k candidates: a bound of 1 let everything but zeros through, any other was too high.
        return count >= keep || bound == 1 ? Hold(positions, values, count, keep) : null;
    }

    private static TopKSelection Hold(int[] positions, float[] values, int count, int keep)
    {
        if (count > keep)
        {
            var select = new MagnitudeSelect();
            select.CountUpper(values.AsSpan(0, count));
            select.Narrow(keep);
            select.CountLower(values.AsSpan(0, count));
            var (threshold, ties) = select.Result();
            var kept = 0;
            for (var i = 0; i < count; i++)
            {
                var bits = BitConverter.SingleToInt32Bits(values[i]) & Magnitude;
                if (bits > threshold || (bits == threshold && ties-- > 0))
                {
                    (positions[kept], values[kept]) = (positions[i], values[i]);
                    kept++;
                }
            }

            count = kept;
        }

        return new TopKSelection(positions, values, count);
    }

    /// <summary>
    /// A magnitude that at least k deltas very likely reach: of a sample, one of a rank well behind k's share. The sample is runs of
    /// neighbours, evenly spread, all of a short update; neighbours are alike, hence the wide margin.
    /// </summary>
    private static int Bound(in UpdateDeltas deltas, int keep)
    {
        var runs = Math.Min(SampleRuns, (deltas.Length + SampleRun - 1) / SampleRun);
        var select = new MagnitudeSelect();
        var sampled = 0L;
        Span<float> scratch = stackalloc float[SampleRun];
        for (var run = 0L; run < runs; run++)
        {
            var first = (int)(run * deltas.Length / runs);
            var length = Math.Min(SampleRun, deltas.Length - first);
            select.CountUpper(deltas.Read(first, length, scratch));
            sampled += length;
        }

        var expected = (double)keep * sampled / deltas.Length;
        var rank = sampled >= deltas.Length ? keep : (long)(expected + (12 * Math.Sqrt(expected)) + 32);
        return Math.Min(select.Narrow(rank), FirstNotFinite);
    }

    private void TakeHeld(int first, int length, out ReadOnlySpan<int> indices, out ReadOnlySpan<float> values)
    {
        var begin = _next;
        for (; _next < _count && _positions[_next] < first + length; _next++)
        {
            _positions[_next] -= first;
        }

        indices = _positions.AsSpan(begin, _next - begin);
        values = _values.AsSpan(begin, _next - begin);
    }

    private void Pick(ReadOnlySpan<float> block, out ReadOnlySpan<int> indices, out ReadOnlySpan<float> values)
    {
        if (_positions.Length < block.Length)
        {
            (_positions, _values) = (new int[block.Length], new float[block.Length]);
        }

        var found = TopKKernels.Collect(block, [], _threshold, 0, _positions, _values);
        var kept = 0;
        for (var i = 0; i < found; i++)
        {
            if ((BitConverter.SingleToInt32Bits(_values[i]) & Magnitude) > _threshold || _ties-- > 0)
            {
                (_positions[kept], _values[kept]) = (_positions[i], _values[i]);
                kept++;
            }
        }

        indices = _positions.AsSpan(0, kept);
        values = _values.AsSpan(0, kept);
    }
}
