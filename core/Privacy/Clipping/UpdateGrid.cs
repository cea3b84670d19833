namespace FedServerless.Privacy;

/// <summary>
/// The grid of step <c>γ = C·2⁻ᵏ</c> on which contributions are summed exactly and noised. A contribution z has <c>Σ z² ≤ 4ᵏ</c> in integers: after
/// rounding its norm does not exceed C, so nothing about the noise is calibrated to an inflated one. Immutable.
/// </summary>
public sealed record UpdateGrid
{
    /// <summary>The fewest bits k.</summary>
    public const int LeastBits = 6;

    /// <summary>The most bits k.</summary>
    public const int MostBits = 30;

    // The largest rounded coordinate of a contribution that was clipped is 2^k and a little; anything larger was not.
    private const double LargestCoordinate = 2147483648.0;

    /// <summary>A grid for a clipping norm.</summary>
    /// <param name="clip">C, in the range of <see cref="UpdateClip"/>.</param>
    /// <param name="bits">k, between <see cref="LeastBits"/> and <see cref="MostBits"/>.</param>
    public UpdateGrid(double clip, int bits)
    {
        UpdateClip.ThrowIfNotClip(clip);
        ArgumentOutOfRangeException.ThrowIfLessThan(bits, LeastBits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bits, MostBits);
        (Clip, Bits) = (clip, bits);
    }

    /// <summary>C.</summary>
    public double Clip { get; }

    /// <summary>k.</summary>
    public int Bits { get; }

    /// <summary>γ: exact, a division by a power of two.</summary>
    public double Step => Math.ScaleB(Clip, -Bits);

    /// <summary>C/γ = 2ᵏ, the sensitivity of a sum in steps.</summary>
    public long StepsPerClip => 1L << Bits;

    /// <summary>Contributions that a sum of 64-bit integers takes with room for the noise: 2^(62 − k).</summary>
    public long MostContributions => 1L << (62 - Bits);

    /// <summary>
    /// The k for so many coordinates: the least with <c>2ᵏ ≥ 256·√d</c>, but at least 12. Rounding to the grid then moves a contribution of norm C by
    /// about C/900.
    /// </summary>
    /// <param name="dimension">d, 1 to 2³¹.</param>
    public static int BitsFor(long dimension)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(dimension, 1L << 31);
        var bits = 12;
        while (1L << (2 * (bits - 8)) < dimension)
        {
            bits++;
        }

        return bits;
    }

    /// <summary>The factor that clips an update of this norm and divides it by the step.</summary>
    /// <param name="norm">The L2 norm of the whole decoded update, in double.</param>
    public double Factor(double norm) => UpdateClip.Factor(norm, Clip) / Step;

    /// <summary>
    /// Finds the scale with which an update of this norm fits: rounds; where that made it too long, aims shorter by what rounding added, twice at most;
    /// then shrinks by an integer ratio, which always fits. Deterministic.
    /// </summary>
    /// <param name="norm">The L2 norm of the whole decoded update.</param>
    /// <param name="sumOfSquares">
    /// <see cref="SumOfSquares"/> of the whole update at a factor: a pass over it, added up over its blocks. Called up to three times, mostly once.
    /// </param>
    public GridScale Fit(double norm, Func<double, UInt128> sumOfSquares)
    {
        ArgumentNullException.ThrowIfNull(sumOfSquares);
        var fit = BeginFit(norm);
        while (!fit.IsDone)
        {
            fit.Offer(sumOfSquares(fit.Factor));
        }

        return fit.Scale;
    }

    /// <summary>The same, one pass at a time.</summary>
    /// <param name="norm">The L2 norm of the whole decoded update.</param>
    public GridFit BeginFit(double norm) => new(this, norm);

    /// <summary><c>Σ round(x·factor)²</c>, exact.</summary>
    /// <param name="values">Coordinates, up to 2³¹.</param>
    /// <param name="factor">Of the whole update.</param>
    /// <exception cref="ArgumentException">A coordinate is not finite or beyond 2³¹ steps, which no clipped update has.</exception>
    public static UInt128 SumOfSquares(ReadOnlySpan<float> values, double factor)
    {
        // Halves of the squares in two sums, which do not overflow before 2³² coordinates.
        ulong low = 0, high = 0;
        foreach (var value in values)
        {
            var rounded = Round(value, factor);
            var square = (ulong)(rounded * rounded);
            low += (uint)square;
            high += square >> 32;
        }

        return ((UInt128)high << 32) + low;
    }

    /// <summary>Adds an update's coordinates, on the grid, to the sums. Exact, so that order and sharding change nothing.</summary>
    /// <param name="values">Coordinates of any range of the update.</param>
    /// <param name="scale">The whole update's, from <see cref="Fit"/>.</param>
    /// <param name="sums">As long as <paramref name="values"/>; of at most <see cref="MostContributions"/> contributions.</param>
    /// <exception cref="ArgumentException">Lengths differ, or a coordinate is beyond 2³¹ steps.</exception>
    /// <exception cref="OverflowException">A sum leaves 64 bits.</exception>
    public static void Accumulate(ReadOnlySpan<float> values, GridScale scale, Span<long> sums)
    {
        if (values.Length != sums.Length)
        {
            throw new ArgumentException($"There are {values.Length} coordinates and {sums.Length} sums.", nameof(sums));
        }

        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(scale.Multiply, nameof(scale));
        ArgumentOutOfRangeException.ThrowIfLessThan(scale.Divide, scale.Multiply, nameof(scale));
        for (var i = 0; i < values.Length; i++)
        {
            var rounded = Round(values[i], scale.Factor);

            // Division of integers rounds towards zero: Σ (z·S/R)² ≤ S²·Σz²/R² ≤ S² for R² ≥ Σz².
            sums[i] = checked(sums[i] + (scale.Divide == 1 ? rounded : rounded * scale.Multiply / scale.Divide));
        }
    }

    /// <summary>
    /// The mean of noised sums: <c>sum·γ/denominator</c>. The denominator is the fixed qN of the plan, never the number that took part.
    /// </summary>
    /// <param name="noisySums">Sums with their noise: without it this releases the data.</param>
    /// <param name="denominator">qN, above 0.</param>
    /// <param name="mean">As long as <paramref name="noisySums"/>.</param>
    public void Complete(ReadOnlySpan<long> noisySums, double denominator, Span<double> mean)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(mean.Length, noisySums.Length);
        if (!(denominator > 0 && double.IsFinite(denominator)))
        {
            throw new ArgumentOutOfRangeException(nameof(denominator), denominator, "The denominator is the expected number of contributions, above 0.");
        }

        var factor = Step / denominator;
        for (var i = 0; i < mean.Length; i++)
        {
            mean[i] = noisySums[i] * factor;
        }
    }

    private static long Round(float value, double factor)
    {
        var scaled = value * factor;
        if (!(Math.Abs(scaled) <= LargestCoordinate))
        {
            throw new ArgumentException("A coordinate is not finite, or larger than the whole update may be.", nameof(value));
        }

        return (long)Math.Round(scaled, MidpointRounding.ToEven);
    }
}
