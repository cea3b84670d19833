namespace FedServerless.Privacy;

/// <summary>
/// The ε of a schedule fixed in advance, between two bounds: numerical composition of privacy loss distributions (Koskela, Jälkö and Honkela 2020,
/// arXiv:1906.03049; Gopi, Lee and Wutschitz 2021, arXiv:2106.02848). Losses are rounded to a fine step, their distributions convolved by Fourier
/// transform, for both directions of add-or-remove; the larger counts. Every error is in the bracket (docs/maths/privacy.md, "The tight accountant").
/// </summary>
/// <remarks>Not for charges chosen after looking at releases: those are <see cref="RenyiFilter"/>'s.</remarks>
public sealed class TightAccountant
{
    /// <summary>The most releases in a schedule.</summary>
    public const long MostReleases = 10_000_000;

    /// <summary>The largest transform.</summary>
    internal const int MostCells = 1 << 21;

    // The probability that what rounding added is not within its bound, and that a loss is out of range, in parts of δ.
    private const double FailureShare = 1e-3;

    // Of the sum under the tilt, that the transform's window holds.
    private const double WindowDeviations = 20;

    private const double LeastTilt = 0.05;

    // Beyond it e^ε and its inverse leave the range of a double, and an ε says nothing: the bracket is [0, Rényi].
    private const double LargestEpsilon = 200;

    // Of an ε that is solved for; absolute below 1, so that an ε of almost nothing ends the search too.
    private const double Resolution = 1e-10;

    // A bounded loss near its bound asks for any tilt.
    private const double LargestTilt = 1e5;

    private readonly double _precision;

    /// <summary>An accountant.</summary>
    /// <param name="precision">
    /// Half the width of the bracket to aim for, relative to ε, between 10⁻⁴ and 0.1; half a percent by default. Very long or very private schedules may
    /// get a wider one.
    /// </param>
    public TightAccountant(double precision = 0.005)
    {
        if (!(precision is >= 1e-4 and <= 0.1))
        {
            throw new ArgumentOutOfRangeException(nameof(precision), precision, "A precision is between 0.0001 and 0.1.");
        }

        _precision = precision;
    }

    /// <summary>The bracket of ε at a δ.</summary>
    /// <param name="schedule">Everything that is released, fixed in advance; at most <see cref="MostReleases"/>.</param>
    /// <param name="delta">In [10⁻¹⁵, 1).</param>
    public EpsilonBracket Epsilon(PrivacyEvent schedule, double delta)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        RenyiCurve.ThrowIfNotDelta(delta);
        ArgumentOutOfRangeException.ThrowIfLessThan(delta, 1e-15);
        var releases = Group(schedule);
        if (releases.Count == 0)
        {
            return new(0, 0, delta);
        }

        if (releases.All(entry => entry.Release.SamplingRate == 1))
        {
            return new(
                AnalyticGaussian.Epsilon(delta, Combined(releases, release => release.RealNoise.More)),
                AnalyticGaussian.Epsilon(delta, Combined(releases, release => release.RealNoise.Less)),
                delta);
        }

        var renyi = RenyiCurve.Of(schedule, RenyiOrders.Default).Spend(delta);
        if (renyi.Epsilon == 0 || renyi.Epsilon > LargestEpsilon)
        {
            return new(0, renyi.Epsilon, delta);
        }

        var (lower, upper) = (0.0, 0.0);
        foreach (var direction in (ReadOnlySpan<LossDirection>)[LossDirection.Remove, LossDirection.Add])
        {
            var bounds = Bounds(releases, release => release.RealNoise.Less, direction, delta, renyi);
            if (bounds.Upper < renyi.Epsilon / 2)
            {
                // The precision was taken relative to a guess far too high.
                bounds = Bounds(releases, release => release.RealNoise.Less, direction, delta, renyi with { Epsilon = bounds.Upper });
            }

            upper = Math.Max(upper, bounds.Upper);
            lower = Math.Max(lower, releases.All(entry => entry.Release.GridBits is null)
                ? bounds.Lower
                : Bounds(releases, release => release.RealNoise.More, direction, delta, renyi with { Epsilon = Math.Min(renyi.Epsilon, 2 * bounds.Upper) }).Lower);
        }

        // Two theorems that contradict each other mean that one of them is computed wrongly: no ε is better than that one.
        if (lower > renyi.Epsilon)
        {
            throw new InvalidOperationException($"The tight lower bound {lower} is above the Rényi bound {renyi.Epsilon}.");
        }

        // The Rényi bound wins only where the bracket had to be wide.
        return new(lower, Math.Min(upper, renyi.Epsilon), delta);
    }

    internal (double Lower, double Upper) Bounds(
        IReadOnlyList<(ReleaseEvent Release, long Count)> releases, Func<ReleaseEvent, double> noise, LossDirection direction, double delta, RenyiSpend guess)
    {
        var count = releases.Sum(entry => entry.Count);
        var failure = FailureShare * delta;
        var reach = Reach(failure / count);
        var step = Step(releases, noise, direction, reach, count, failure, _precision * Math.Max(guess.Epsilon, 0.01));
        var parts = Masses(releases, noise, step, reach, direction);
        var (tilt, deviation) = Tilt(parts, guess.Order - 1, delta);
        if (WindowDeviations * deviation > MostCells * step)
        {
            step = WindowDeviations * deviation / MostCells;
            parts = Masses(releases, noise, step, reach, direction);
        }

        // Rare large losses make the sum heavy-tailed under the best tilt, and too wide for a window; a smaller one is right as well.
        var window = PrivacyLossSum.Window(parts, tilt, MostCells);
        while (window.Aliased > PrivacyLossSum.Negligible && tilt > LeastTilt)
        {
            tilt *= 0.75;
            window = PrivacyLossSum.Window(parts, tilt, MostCells);
        }

        var sum = new PrivacyLossSum(parts, tilt, window);

        // Rounding adds at most half a step a release; or, its mean taken off, by Hoeffding's inequality for independent terms of range one step,
        // more than the slack with no more than the failure probability.
        var (bias, slack, lost) = (0.0, count * step / 2, 0.0);
        var hoeffding = step * Math.Sqrt(count * Math.Log(1 / failure) / 2);
        if (hoeffding < slack)
        {
            bias = parts.Sum(part => part.Count * part.Mass.RoundingBias);
            slack = hoeffding + parts.Sum(part => part.Count * part.Mass.BiasError);
            lost = failure;
        }

        var leftOut = parts.Sum(part => part.Count * part.Mass.LeftOut);
        var upper = LastTrue(epsilon => Part(epsilon + bias - slack, 1) + lost + leftOut > delta);
        return (LowerEnd(upper, Math.Min(deviation / 16, upper / 64), epsilon => Part(epsilon + bias + slack, -1) - lost > delta), upper);

        double Part(double epsilon, int sign)
        {
            var (value, error) = sum.Delta(epsilon);
            return value + (sign * error);
        }
    }

    internal static IReadOnlyList<(ReleaseEvent Release, long Count)> Group(PrivacyEvent schedule)
    {
        var counts = new Dictionary<ReleaseEvent, long>();
        foreach (var (release, count) in schedule.Releases())
        {
            counts[release] = checked(counts.GetValueOrDefault(release) + count);
        }

        if (counts.Values.Aggregate(0L, (sum, count) => checked(sum + count)) > MostReleases)
        {
            throw new ArgumentException($"A schedule has at most {MostReleases} releases.", nameof(schedule));
        }

        return [.. counts.Where(entry => entry.Value > 0).OrderBy(entry => entry.Key.SamplingRate).ThenBy(entry => entry.Key.NoiseMultiplier)
            .ThenBy(entry => entry.Key.GridBits ?? -1).Select(entry => (entry.Key, entry.Value))];
    }

    // The end of a condition that holds from 0 up to somewhere, rounded up.
    private static double LastTrue(Func<double, bool> holds)
    {
        if (!holds(0))
        {
            return 0;
        }

        var (low, high) = (0.0, 1.0);
        while (holds(high))
        {
            (low, high) = (high, 2 * high);
            if (high > 1e9)
            {
                return double.PositiveInfinity;
            }
        }

        while (high - low > Resolution * Math.Max(1, high))
        {
            var middle = (low + high) / 2;
            (low, high) = holds(middle) ? (middle, high) : (low, middle);
        }

        return high;
    }

    // A point not far below the upper end where the condition holds, as high as possible. It does not hold far below, where the
    // transform's error is large beside the tail: δ falls with ε, so that what holds at a point holds for everything below it.
    private static double LowerEnd(double upper, double step, Func<double, bool> holds)
    {
        const int MostSteps = 200;
        var (low, high) = (upper - step, upper);
        for (var i = 0; !holds(low); i++)
        {
            if (i == MostSteps || low <= 0)
            {
                return 0;
            }

            (low, high) = (low - step, low);
        }

        while (high - low > Resolution * Math.Max(1, high))
        {
            var middle = (low + high) / 2;
            (low, high) = holds(middle) ? (middle, high) : (low, middle);
        }

        return Math.Max(0, low);
    }

    private static double Combined(IReadOnlyList<(ReleaseEvent Release, long Count)> releases, Func<ReleaseEvent, double> noise) =>
        1 / Math.Sqrt(releases.Sum(entry => entry.Count / (noise(entry.Release) * noise(entry.Release))));

    // Standard deviations beyond which both tails together hold at most this probability.
    private static double Reach(double probability)
    {
        var reach = 3.0;
        while (2 * NormalTail.Upper(reach) > probability)
        {
            reach += 0.125;
        }

        return reach;
    }

    private static double Step(
        IReadOnlyList<(ReleaseEvent Release, long Count)> releases, Func<ReleaseEvent, double> noise, LossDirection direction, double reach, long count, double failure, double target)
    {
        var step = Math.Max(2 * target / count, target * Math.Sqrt(2 / (count * Math.Log(1 / failure))));
        var widest = releases.Max(entry =>
        {
            var (low, high) = PrivacyLossMass.Range(entry.Release.SamplingRate, noise(entry.Release), reach, direction);
            return high - low;
        });
        return Math.Max(step, widest / MostCells);
    }

    private static List<(PrivacyLossMass Mass, long Count)> Masses(
        IReadOnlyList<(ReleaseEvent Release, long Count)> releases, Func<ReleaseEvent, double> noise, double step, double reach, LossDirection direction) =>
        [.. releases.Select(entry => (PrivacyLossMass.Of(entry.Release.SamplingRate, noise(entry.Release), step, reach, direction), entry.Count))];

    // The λ whose tilt puts the ε of δ in the middle, to a few per cent, and the standard deviation under it. There δ is about
    // e^{K(λ) − λε}/(√2π·σ·λ·(λ + 1)): Bahadur and Rao 1960 for the hockey stick. Any λ would be right; this one is accurate.
    private static (double Tilt, double Deviation) Tilt(IReadOnlyList<(PrivacyLossMass Mass, long Count)> parts, double guess, double delta)
    {
        var (least, most, variance) = (0.0, double.PositiveInfinity, 0.0);
        var tilt = Math.Max(guess, 0.01);
        for (var i = 0; i < 40 && most > 1.05 * least; i++)
        {
            (var log, var mean, variance) = PrivacyLossSum.Total(parts, tilt);
            var shape = Math.Max(1, Math.Sqrt(2 * Math.PI * variance) * tilt * (tilt + 1));
            (least, most) = log - (tilt * mean) - Math.Log(shape) < Math.Log(delta) ? (least, tilt) : (tilt, most);
            tilt = least == 0 ? tilt / 2 : double.IsInfinity(most) && tilt < LargestTilt ? 2 * tilt : Math.Sqrt(least * Math.Min(most, LargestTilt));
        }

        return (tilt, Math.Sqrt(variance));
    }
}
