using FedServerless.Numerics;

namespace FedServerless.Privacy;

/// <summary>
/// The server's side of one private round, in memory: each delta is clipped onto the grid, summed exactly, the sums are noised once, and the mean over the
/// fixed denominator comes out. The same steps that a round takes over stored updates. Not thread-safe.
/// </summary>
public sealed class PrivateMean
{
    private readonly long[] _sums;
    private readonly double _noiseMultiplier;
    private readonly double _denominator;
    private readonly AdaptiveClip? _adaptive;
    private readonly EntropySource _entropy;
    private long _bits;
    private long _contributions;
    private bool _isComplete;

    /// <summary>A round with a fixed clipping norm.</summary>
    /// <param name="dimension">Coordinates, 1 or more.</param>
    /// <param name="grid">The round's clipping norm and grid.</param>
    /// <param name="denominator">qN, fixed in advance, above 0: never the number that took part.</param>
    /// <param name="noiseMultiplier">z, in the range of <see cref="ReleaseEvent"/>.</param>
    public PrivateMean(int dimension, UpdateGrid grid, double denominator, double noiseMultiplier)
        : this(dimension, grid, denominator, noiseMultiplier, SystemEntropy.Instance)
    {
    }

    /// <summary>A round whose clipping norm adapts.</summary>
    /// <param name="dimension">Coordinates, 1 or more.</param>
    /// <param name="grid">The round's clipping norm and grid.</param>
    /// <param name="denominator">qN.</param>
    /// <param name="adaptive">Brings z, and how it is split between deltas and bits.</param>
    public PrivateMean(int dimension, UpdateGrid grid, double denominator, AdaptiveClip adaptive)
        : this(dimension, grid, denominator, adaptive, SystemEntropy.Instance)
    {
    }

    internal PrivateMean(int dimension, UpdateGrid grid, double denominator, AdaptiveClip adaptive, EntropySource entropy)
        : this(dimension, grid, denominator, (adaptive ?? throw new ArgumentNullException(nameof(adaptive))).DeltaNoiseMultiplier, entropy) => _adaptive = adaptive;

    internal PrivateMean(int dimension, UpdateGrid grid, double denominator, double noiseMultiplier, EntropySource entropy)
    {
        ArgumentNullException.ThrowIfNull(grid);
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1);
        if (!(denominator > 0 && double.IsFinite(denominator)))
        {
            throw new ArgumentOutOfRangeException(nameof(denominator), denominator, "The denominator is the expected number of contributions, above 0.");
        }

        // Refused here and not at the end, when contributions have been summed for nothing.
        _ = new GaussianEvent(noiseMultiplier, grid.Bits);
        (Grid, _sums, _denominator, _noiseMultiplier, _entropy) = (grid, new long[dimension], denominator, noiseMultiplier, entropy);
    }

    /// <summary>The round's clipping norm and grid.</summary>
    public UpdateGrid Grid { get; }

    /// <summary>Adds a client's whole delta, clipped or not: it is clipped here, never refused for its length.</summary>
    /// <param name="delta">All coordinates.</param>
    /// <returns>False, with nothing added, if the delta is not finite: it counts as zero.</returns>
    /// <exception cref="ArgumentException">The delta has another length.</exception>
    /// <exception cref="InvalidOperationException">The round is complete, or has as many contributions as its sums hold.</exception>
    public bool TryAdd(ReadOnlyMemory<float> delta)
    {
        ThrowIfComplete();
        if (delta.Length != _sums.Length)
        {
            throw new ArgumentException($"The delta has {delta.Length} coordinates, the round {_sums.Length}.", nameof(delta));
        }

        var norm = Reductions.Norm(delta.Span);
        if (!double.IsFinite(norm))
        {
            return false;
        }

        if (_contributions == Grid.MostContributions)
        {
            throw new InvalidOperationException($"A grid of {Grid.Bits} bits holds {Grid.MostContributions} contributions.");
        }

        var scale = Grid.Fit(norm, factor => UpdateGrid.SumOfSquares(delta.Span, factor));
        UpdateGrid.Accumulate(delta.Span, scale, _sums);
        _bits += AdaptiveClip.CentredBit(norm, Grid);
        _contributions++;
        return true;
    }

    /// <summary>Noises the sums, once, and gives the mean <c>sum·γ/(qN)</c>. Afterwards the round holds nothing.</summary>
    /// <param name="mean">All coordinates.</param>
    /// <returns>The next round's clipping norm; this round's where it does not adapt.</returns>
    /// <exception cref="InvalidOperationException">The round is complete: a second draw on the same sums would be a second release.</exception>
    public double Complete(Span<double> mean)
    {
        ThrowIfComplete();
        ArgumentOutOfRangeException.ThrowIfNotEqual(mean.Length, _sums.Length);
        _isComplete = true;
        NoiseBlock.Add(_sums, _noiseMultiplier, Grid, _entropy);
        Grid.Complete(_sums, _denominator, mean);
        Array.Clear(_sums);
        return _adaptive is null ? Grid.Clip : _adaptive.Next(Grid, NoiseBlock.AddToBits(_bits, _adaptive, Grid, _entropy), _denominator);
    }

    private void ThrowIfComplete()
    {
        if (_isComplete)
        {
            throw new InvalidOperationException("The round is complete.");
        }
    }
}
