namespace FedServerless.Privacy;

/// <summary>
/// <see cref="UpdateGrid.Fit"/> one pass at a time, for updates that are read from afar: while <see cref="IsDone"/> is false, pass over the update for
/// <see cref="UpdateGrid.SumOfSquares"/> at <see cref="Factor"/> and <see cref="Offer"/> the total. Three passes at most, mostly one.
/// </summary>
public sealed class GridFit
{
    private const int Attempts = 2;

    private readonly UpdateGrid _grid;
    private readonly double _norm;
    private readonly UInt128 _limit;
    private int _attempts;

    internal GridFit(UpdateGrid grid, double norm)
    {
        (_grid, _norm) = (grid, norm);
        _limit = (UInt128)grid.StepsPerClip * (UInt128)grid.StepsPerClip;
        Factor = grid.Factor(norm);
    }

    /// <summary>The factor to try.</summary>
    public double Factor { get; private set; }

    /// <summary>True once <see cref="Scale"/> is known.</summary>
    public bool IsDone { get; private set; }

    /// <summary>The scale with which the update fits; meaningless before <see cref="IsDone"/>.</summary>
    public GridScale Scale { get; private set; }

    /// <summary>The whole update's sum of squares at <see cref="Factor"/>.</summary>
    public void Offer(UInt128 total)
    {
        if (IsDone)
        {
            throw new InvalidOperationException("The scale is known already.");
        }

        if (total <= _limit)
        {
            Finish(new GridScale(Factor, 1, 1));
            return;
        }

        // What rounding added: its energy, and a cross term of about half the norm in steps, hence the three norms of slack.
        var added = Math.Max(0, (double)total - (Factor * _norm * Factor * _norm));
        var aim = (double)_limit - (added * 1.0625) - (3 * (double)_grid.StepsPerClip);
        if (_attempts == Attempts || aim <= 0)
        {
            Finish(new GridScale(Factor, _grid.StepsPerClip, CeilingRoot(total)));
            return;
        }

        _attempts++;
        Factor = Math.Sqrt(aim) / _norm;
    }

    private void Finish(GridScale scale) => (Scale, IsDone) = (scale, true);

    private static long CeilingRoot(UInt128 value)
    {
        var root = (UInt128)Math.Sqrt((double)value);
        while (root * root > value)
        {
            root--;
        }

        while (root * root < value)
        {
            root++;
        }

        return (long)root;
    }
}
