using System.Globalization;

namespace FedServerless.Aggregation.Robust;

/// <summary>
/// The geometric median, the point z with the least <c>Σ αᵢ·‖z − xᵢ‖</c>: RFA, Pillutla, Kakade and Harchaoui 2022,
/// arXiv:1912.13445, algorithm 2 (smoothed Weiszfeld). z stays a weighted mean of the updates, so the iteration needs their
/// inner products only. It starts from the centre of the Gram matrix, the coordinate median.
/// </summary>
public static class GeometricMedian
{
    /// <summary>Most steps before it is said not to have converged.</summary>
    public const int MaxSteps = 1000;

    /// <summary>
    /// It has converged when a step changes the objective by less than this, relatively. Rows more than <see cref="Far"/>
    /// times the median distance away are left out of that comparison: they pull all the same, but their own distances would
    /// drown every change among the others.
    /// </summary>
    public const double Tolerance = 1e-12;

    /// <summary>Median distances from the centre beyond which a row does not count in the test of convergence.</summary>
    public const double Far = 1e6;

    /// <summary>
    /// The smoothing ν as a share of the median distance to the coordinate median, below which a distance counts as ν: without
    /// it an iterate that meets a point divides by zero.
    /// </summary>
    public const double DefaultSmoothing = 1e-6;

    /// <summary>Finds the weights; the scores are the distances ‖z − xᵢ‖ at the end.</summary>
    /// <param name="gram">Inner products of the n clients' updates.</param>
    /// <param name="f">Clients that may lie: <c>n ≥ 2f + 1</c>, and the f heaviest weigh less than half.</param>
    /// <param name="alpha">The clients' weights in the objective, above 0; null for equal ones.</param>
    /// <param name="smoothing">ν relative to the rows' median distance from the centre, 0 &lt; ν &lt; 1.</param>
    public static ClientWeighting Find(GramMatrix gram, int f, IReadOnlyList<double>? alpha = null, double smoothing = DefaultSmoothing)
    {
        ArgumentNullException.ThrowIfNull(gram);
        if (!(smoothing > 0 && smoothing < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(smoothing), smoothing, "The smoothing is above 0 and below 1.");
        }

        if (ByzantineBounds.Majority(gram.Count, f) is { } problem)
        {
            return ClientWeighting.Refused(problem);
        }

        if (!gram.IsFinite)
        {
            return ClientWeighting.Refused("refused: the distances between the updates are not finite");
        }

        var share = Shares(alpha, gram.Count);
        var heaviest = share.OrderDescending().Take(f).Sum();
        if (heaviest >= 0.5)
        {
            return ClientWeighting.Refused(string.Create(
                CultureInfo.InvariantCulture, $"refused: the f = {f} heaviest updates have {100 * heaviest:F0} % of the weight; a geometric median bears less than half"));
        }

        var distances = FromCentre(gram);
        var typical = Median(distances);
        if (typical == 0 && AtCentre(distances, share) is { } weights)
        {
            return ClientWeighting.Of(weights, distances);
        }

        // Half of the rows lie at the centre and weigh less than the rest: the others say how far is far.
        typical = typical == 0 ? Median([.. distances.Where(distance => distance > 0)]) : typical;

        return Iterate(gram, share, distances, smoothing * typical, [.. distances.Select(d => d <= Far * typical)]);
    }

    private static ClientWeighting Iterate(GramMatrix gram, double[] share, double[] distances, double floor, bool[] counts)
    {
        var weights = new double[share.Length];
        var objective = Objective(share, distances, floor, counts);
        for (var step = 1; step <= MaxSteps; step++)
        {
            Reweigh(share, distances, floor, weights);
            ClientSpace.Distances(gram, weights, distances);
            var next = Objective(share, distances, floor, counts);
            if (Math.Abs(objective - next) <= Tolerance * objective)
            {
                return ClientWeighting.Of(weights, distances, step);
            }

            objective = next;
        }

        return ClientWeighting.Refused($"refused: the geometric median had not converged after {MaxSteps} steps", MaxSteps);
    }

    private static double[] Shares(IReadOnlyList<double>? alpha, int count)
    {
        var share = new double[count];
        var total = 0.0;
        for (var i = 0; i < count; i++)
        {
            share[i] = alpha?[i] ?? 1;
            total += share[i];
        }

        for (var i = 0; i < count; i++)
        {
            share[i] /= total;
        }

        return share;
    }

    private static double[] FromCentre(GramMatrix gram)
    {
        var distances = new double[gram.Count];
        for (var i = 0; i < distances.Length; i++)
        {
            distances[i] = Math.Sqrt(Math.Max(0, gram[i, i]));
        }

        return distances;
    }

    private static double Median(double[] distances)
    {
        var sorted = distances.ToArray();
        Array.Sort(sorted);
        return sorted[(sorted.Length - 1) / 2];
    }

    /// <summary>The mean of the rows at the centre, where they weigh half or more: that point is the geometric median. Else null.</summary>
    private static double[]? AtCentre(double[] distances, double[] share)
    {
        var weights = new double[share.Length];
        var total = 0.0;
        for (var i = 0; i < weights.Length; i++)
        {
            weights[i] = distances[i] == 0 ? share[i] : 0;
            total += weights[i];
        }

        // Shares add to 1 but for rounding, which must not turn exactly half into less.
        if (total < 0.5 - 1e-12)
        {
            return null;
        }

        for (var i = 0; i < weights.Length; i++)
        {
            weights[i] /= total;
        }

        return weights;
    }

    private static void Reweigh(double[] share, double[] distances, double floor, double[] weights)
    {
        var total = 0.0;
        for (var i = 0; i < weights.Length; i++)
        {
            weights[i] = share[i] / Math.Max(floor, distances[i]);
            total += weights[i];
        }

        for (var i = 0; i < weights.Length; i++)
        {
            weights[i] /= total;
        }
    }

    // Equation 5 of the paper: ‖v‖ from ν on, v²/2ν + ν/2 below.
    private static double Objective(double[] share, double[] distances, double floor, bool[] counts)
    {
        var sum = 0.0;
        for (var i = 0; i < share.Length; i++)
        {
            var d = distances[i];
            sum += !counts[i] ? 0 : share[i] * (d >= floor ? d : (d * d / (2 * floor)) + (floor / 2));
        }

        return sum;
    }
}
