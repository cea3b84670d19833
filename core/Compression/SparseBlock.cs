namespace FedServerless.Compression;

/// <summary>The coordinates of a block that were sent, and their values. Memory is kept from one reading to the next.</summary>
internal sealed class SparseBlock
{
    private int[] _indices = [];
    private float[] _values = [];

    /// <summary>How many were sent.</summary>
    public int Count { get; private set; }

    /// <summary>Where they stand in the block, ascending.</summary>
    public Span<int> Indices => _indices.AsSpan(0, Count);

    /// <summary>Their values, finite once a reading succeeded.</summary>
    public Span<float> Values => _values.AsSpan(0, Count);

    /// <summary>Makes room; what was held is undefined.</summary>
    /// <param name="count">0 or more; checked by the caller against the block's coordinates.</param>
    public void Resize(int count)
    {
        if (_indices.Length < count)
        {
            _indices = new int[count];
            _values = new float[count];
        }

        Count = count;
    }

    /// <summary><c>destination[i]</c> is the value at i where one was sent, 0 elsewhere.</summary>
    public void Scatter(Span<float> destination) => Scatter(0, destination);

    /// <summary><c>destination[i]</c> is the value at <paramref name="start"/> + i where one was sent, 0 elsewhere.</summary>
    public void Scatter(int start, Span<float> destination)
    {
        destination.Clear();
        var first = start == 0 ? 0 : _indices.AsSpan(0, Count).BinarySearch(start);
        for (var i = first < 0 ? ~first : first; i < Count && _indices[i] < start + destination.Length; i++)
        {
            destination[_indices[i] - start] = _values[i];
        }
    }
}
