namespace FedServerless.Numerics;

/// <summary>
/// <see cref="Reductions.SumOfSquares"/> of a vector that arrives in pieces of any length, to the same bytes. The pieces
/// must come in order. Not thread-safe.
/// </summary>
public sealed class RunningSumOfSquares
{
    private readonly double[] _lanes = new double[Reductions.Lanes];
    private double _closed;
    private int _position;

    /// <summary>The next piece.</summary>
    public void Add(ReadOnlySpan<float> values)
    {
        while (!values.IsEmpty)
        {
            var length = Math.Min(StepLength(), values.Length);
            var lane = _position % Reductions.Lanes;
            if (lane == 0)
            {
                LaneKernels.AddProducts(values[..length], values[..length], _lanes);
            }
            else
            {
                for (var i = 0; i < length; i++)
                {
                    _lanes[lane + i] += (double)values[i] * values[i];
                }
            }

            values = values[length..];
            _position += length;
            if (_position == Reductions.SuperBlock)
            {
                Close();
            }
        }
    }

    /// <summary>
    /// The next piece, zeros but for some: the bytes of <see cref="Add"/> over all of it, since sums of squares are never −0 and a zero
    /// more leaves them as they are.
    /// </summary>
    /// <param name="indices">Where the others stand in the piece, ascending.</param>
    /// <param name="values">As many.</param>
    /// <param name="length">Of the piece.</param>
    internal void AddSparse(ReadOnlySpan<int> indices, ReadOnlySpan<float> values, int length)
    {
        var end = (long)_position + length;
        for (var i = 0; ;)
        {
            var (close, shift) = (Math.Min(end, Reductions.SuperBlock), end - length);
            for (; i < indices.Length && indices[i] + shift < close; i++)
            {
                _lanes[(indices[i] + shift) % Reductions.Lanes] += (double)values[i] * values[i];
            }

            _position = (int)close;
            if (close < Reductions.SuperBlock)
            {
                return;
            }

            Close();
            end -= Reductions.SuperBlock;
            if (end == 0)
            {
                return;
            }
        }
    }

    /// <summary><c>Σ x²</c> of everything added so far; 0 of nothing.</summary>
    public double Total
    {
        get
        {
            if (_position == 0)
            {
                return _closed;
            }

            Span<double> lanes = stackalloc double[Reductions.Lanes];
            _lanes.CopyTo(lanes);
            return _closed + LaneKernels.SumTree(lanes);
        }
    }

    /// <summary>The L2 norm of everything added so far.</summary>
    public double Norm => Math.Sqrt(Total);

    private void Close()
    {
        _closed += LaneKernels.SumTree(_lanes);
        Array.Clear(_lanes);
        _position = 0;
    }

    // To the end of the super-block from lane 0; back to lane 0 from any other.
    private int StepLength() => _position % Reductions.Lanes == 0
        ? Reductions.SuperBlock - _position
        : Reductions.Lanes - (_position % Reductions.Lanes);
}
