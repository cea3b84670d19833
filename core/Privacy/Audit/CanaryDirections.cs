namespace FedServerless.Privacy;

/// <summary>
/// What canary clients send so that an audit tells them apart and sees three mistakes at once. Canary i has coordinate i of every block, and nobody else has
/// it: directions are orthogonal. Its update is as long as the clipping norm <i>in every block</i>, so that a server which clips each block or shard by
/// itself lets through √blocks times too much. Its sign alternates from block to block and from round to round, so that noise which two neighbouring
/// blocks or rounds share cancels in its score. Immutable.
/// </summary>
/// <remarks>
/// Not seen: noise shared by few blocks of many, or at even distances only; and anything done to other coordinates than the canaries'.
/// </remarks>
public sealed class CanaryDirections
{
    private readonly int _blockSize;

    /// <summary>Directions for a model.</summary>
    /// <param name="canaries">m, 1 or more, at most a block's coordinates.</param>
    /// <param name="dimension">Parameters of the model.</param>
    /// <param name="blockSize">Coordinates of a block; a last block with fewer than m is not used.</param>
    public CanaryDirections(int canaries, int dimension, int blockSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(canaries, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(blockSize, canaries);
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, canaries);
        (Canaries, Dimension, _blockSize) = (canaries, dimension, blockSize);
        Blocks = (dimension / blockSize) + (dimension % blockSize >= canaries ? 1 : 0);
    }

    /// <summary>m.</summary>
    public int Canaries { get; }

    /// <summary>Parameters.</summary>
    public int Dimension { get; }

    /// <summary>Blocks that every canary is in, 1 or more.</summary>
    public int Blocks { get; }

    /// <summary>A canary's delta: ±<paramref name="length"/> at its coordinate of each block, and 0. Its norm is <c>length·√Blocks</c>: longer than it may be.</summary>
    /// <param name="canary">0 to m − 1.</param>
    /// <param name="round">Any number; consecutive rounds have opposite signs.</param>
    /// <param name="length">Of the part in one block: the clipping norm, or more.</param>
    public float[] Update(int canary, int round, double length)
    {
        ThrowIfNone(canary);
        var delta = new float[Dimension];
        for (var block = 0; block < Blocks; block++)
        {
            delta[(block * _blockSize) + canary] = (float)(Sign(block, round) * length);
        }

        return delta;
    }

    /// <summary>The inner product of what a round released with a canary's direction of norm 1.</summary>
    /// <param name="canary">0 to m − 1.</param>
    /// <param name="round">As given to <see cref="Update"/>.</param>
    /// <param name="released">All parameters.</param>
    public double Score(int canary, int round, ReadOnlySpan<double> released)
    {
        ThrowIfNone(canary);
        ArgumentOutOfRangeException.ThrowIfNotEqual(released.Length, Dimension);
        var sum = 0.0;
        for (var block = 0; block < Blocks; block++)
        {
            sum += Sign(block, round) * released[(block * _blockSize) + canary];
        }

        return sum / Math.Sqrt(Blocks);
    }

    /// <summary>Guesses: half of them "in", for the highest scores, half "out", for the lowest. How many is fixed before the scores are known.</summary>
    /// <param name="scores">One a canary; sums over rounds.</param>
    /// <param name="guesses">r, even, at most m.</param>
    /// <returns>One a canary; null where the auditor abstains. Of equal scores the first counts as higher.</returns>
    /// <exception cref="ArgumentException">r is odd, or a score is not a number.</exception>
    public static bool?[] Guess(ReadOnlySpan<double> scores, int guesses)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(guesses);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(guesses, scores.Length);
        if (guesses % 2 != 0)
        {
            throw new ArgumentException("Half of the guesses are 'in', half 'out': their number is even.", nameof(guesses));
        }

        double[] all = [.. scores];
        if (all.Any(double.IsNaN))
        {
            throw new ArgumentException("A score is not a number.", nameof(scores));
        }

        var guessed = new bool?[all.Length];
        int[] order = [.. Enumerable.Range(0, all.Length).OrderByDescending(i => all[i])];
        for (var i = 0; i < guesses / 2; i++)
        {
            guessed[order[i]] = true;
            guessed[order[^(i + 1)]] = false;
        }

        return guessed;
    }

    private static int Sign(int block, int round) => ((block + round) & 1) == 0 ? 1 : -1;

    private void ThrowIfNone(int canary)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(canary);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(canary, Canaries);
    }
}
