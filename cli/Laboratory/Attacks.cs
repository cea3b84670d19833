using FedServerless.Aggregation.Robust;
using FedServerless.Numerics;

namespace FedServerless.Cli.Laboratory;

/// <summary>What liars know when they make their updates: everything, which is the worst case that papers assume.</summary>
/// <param name="Honest">The honest clients' updates of this round.</param>
/// <param name="Own">What the liars would have sent had they been honest.</param>
/// <param name="Poisoned">What they get by training on poisoned data; the same as <paramref name="Own"/> for attacks that poison none.</param>
/// <param name="Rule">The rule they attack.</param>
/// <param name="Aggregate">What that rule makes of a set of updates, honest ones first; null when it refuses.</param>
/// <param name="Chance">The attack's own.</param>
internal sealed record AttackScene(
    IReadOnlyList<float[]> Honest, IReadOnlyList<float[]> Own, IReadOnlyList<float[]> Poisoned, string Rule,
    Func<IReadOnlyList<float[]>, double[]?> Aggregate, DeterministicRandom Chance)
{
    /// <summary>All clients.</summary>
    public int Clients => Honest.Count + Own.Count;
}

/// <summary>What a liar does to its data before it trains.</summary>
internal enum Poisoning
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Label c becomes 9 − c.</summary>
    LabelFlip,

    /// <summary>Half of the samples get the trigger and its label.</summary>
    Trigger,
}

/// <summary>An attack by name.</summary>
/// <param name="Name">In tables and options.</param>
/// <param name="Paper">Where it is from.</param>
/// <param name="Poisoning">What is done to the liars' data.</param>
/// <param name="Poison">The liars' updates.</param>
internal sealed record Attack(string Name, string Paper, Poisoning Poisoning, Func<AttackScene, IReadOnlyList<float[]>> Poison);

/// <summary>The attacks of the laboratory. Vectors are added and scaled in double and sent as float32.</summary>
internal static class Attacks
{
    public const double SignFlipScale = 5;

    // Large enough to drown ten honest updates, small enough to stay finite in every rule.
    private const double NoiseScale = 10;

    private const double InnerProductScale = 1.5;

    public static IReadOnlyList<Attack> All { get; } =
    [
        new("none", "nobody lies", Poisoning.None, scene => scene.Own),
        new("sign-flip", "each liar sends −5 times its honest update", Poisoning.None, scene => [.. scene.Own.Select(own => Scale(own, -SignFlipScale))]),
        new("gaussian", "noise ten times as long as an honest update", Poisoning.None, Gaussian),
        new("label-flip", "trained on labels c → 9 − c", Poisoning.LabelFlip, scene => scene.Poisoned),
        new("alie", "A Little Is Enough: Baruch, Baruch and Goldberg 2019, arXiv:1902.06156, algorithm 3", Poisoning.None, LittleIsEnough),
        new("ipm", "inner-product manipulation: Xie, Koyejo and Gupta 2020, arXiv:1903.03936, section 4", Poisoning.None, InnerProduct),
        new("fang", "directed deviation, aware of the rule: Fang, Cao, Jia and Gong 2020, arXiv:1911.11815, section 4", Poisoning.None, Fang),
        new("min-max", "Min-Max: Shejwalkar and Houmansadr 2021, NDSS, section IV-C", Poisoning.None, MinMax),
        new("backdoor", "model replacement: Bagdasaryan et al. 2020, arXiv:1807.00459, section 4.2", Poisoning.Trigger, Replacement),
        new("free-ride", "sends nothing but zeros", Poisoning.None, scene => [.. scene.Own.Select(own => new float[own.Length])]),
    ];

    private static IReadOnlyList<float[]> Gaussian(AttackScene scene) => [.. scene.Own.Select(own =>
    {
        var deviation = NoiseScale * Reductions.Norm(own) / Math.Sqrt(own.Length);
        return Array.ConvertAll(own, _ => (float)(deviation * scene.Chance.NextGaussian()));
    })];

    /// <summary>Mean − z·deviation, z the largest at which enough honest clients still look more extreme.</summary>
    private static IReadOnlyList<float[]> LittleIsEnough(AttackScene scene)
    {
        var (n, f) = (scene.Clients, scene.Own.Count);
        var supporters = (n / 2) + 1 - f;
        var z = Quantile((double)(n - f - supporters) / (n - f));
        var (mean, deviation) = Moments(scene.Honest);
        return Same(scene, i => mean[i] - (z * deviation[i]));
    }

    private static IReadOnlyList<float[]> InnerProduct(AttackScene scene)
    {
        // A mean turns round above ε = (n − f)/f; robust rules would see that, so they get a smaller one.
        var scale = scene.Rule == AggregationRules.WeightedMean ? InnerProductScale * scene.Honest.Count / scene.Own.Count : InnerProductScale;
        var (mean, _) = Moments(scene.Honest);
        return Same(scene, i => -scale * mean[i]);
    }

    /// <summary>
    /// Against the honest direction, as far as the rule lets through: for median and trimmed mean values just beyond the
    /// honest ones, for the others the largest step λ that still moves the aggregate most.
    /// </summary>
    private static IReadOnlyList<float[]> Fang(AttackScene scene)
    {
        var (mean, _) = Moments(scene.Honest);
        if (scene.Rule is AggregationRules.Median or AggregationRules.TrimmedMean)
        {
            return Beyond(scene, mean);
        }

        IReadOnlyList<float[]> best = Same(scene, i => -1e-3 * Math.Sign(mean[i]));
        var worst = double.NegativeInfinity;
        var scale = scene.Honest.Average(update => Reductions.Norm(update)) / Math.Sqrt(mean.Length);
        for (var step = 0; step < 12; step++)
        {
            var lambda = 8 * scale * Math.ScaleB(1, -step);
            var candidate = Same(scene, i => mean[i] - (lambda * Math.Sign(mean[i])));
            if (scene.Aggregate([.. scene.Honest, .. candidate]) is { } aggregate)
            {
                var harm = -mean.Index().Sum(item => item.Item * aggregate[item.Index]);
                if (harm > worst)
                {
                    (worst, best) = (harm, candidate);
                }
            }
        }

        return best;
    }

    private static IReadOnlyList<float[]> Beyond(AttackScene scene, double[] mean)
    {
        var honest = scene.Honest;
        return [.. scene.Own.Select(own =>
        {
            var lie = new float[own.Length];
            for (var i = 0; i < lie.Length; i++)
            {
                var (low, high) = (honest.Min(update => update[i]), honest.Max(update => update[i]));
                
                // The paper's b = 2: as far again from zero at the most.
                var reach = 1 + scene.Chance.NextDouble();

                // Honest values go up: lie below the lowest, away from zero by its sign; and the other way round.
                lie[i] = (float)(mean[i] > 0 ? (low > 0 ? low / reach : low * reach) : (high > 0 ? high * reach : high / reach));
            }

            return lie;
        })];
    }

    /// <summary>Mean − γ·deviation, γ the largest at which no honest client is farther from the lie than from another honest one.</summary>
    private static IReadOnlyList<float[]> MinMax(AttackScene scene)
    {
        var (mean, deviation) = Moments(scene.Honest);
        var widest = scene.Honest.SelectMany(a => scene.Honest.Select(b => Distance(a, b))).Max();
        var (low, high) = (0.0, 1.0);
        while (Farthest(high) <= widest && high < 1e6)
        {
            (low, high) = (high, 2 * high);
        }

        for (var step = 0; step < 40; step++)
        {
            var middle = (low + high) / 2;
            (low, high) = Farthest(middle) <= widest ? (middle, high) : (low, middle);
        }

        return Same(scene, i => mean[i] - (low * deviation[i]));

        double Farthest(double gamma)
        {
            float[] lie = [.. mean.Select((value, i) => (float)(value - (gamma * deviation[i])))];
            return scene.Honest.Max(update => Distance(lie, update));
        }
    }

    /// <summary>Scaled so that the mean of all updates would become the liars' own model.</summary>
    private static IReadOnlyList<float[]> Replacement(AttackScene scene) =>
        [.. scene.Poisoned.Select(update => Scale(update, (double)scene.Clients / scene.Own.Count))];

    private static float[] Scale(float[] update, double factor) => Array.ConvertAll(update, value => (float)(factor * value));

    private static IReadOnlyList<float[]> Same(AttackScene scene, Func<int, double> value)
    {
        var lie = new float[scene.Honest[0].Length];
        for (var i = 0; i < lie.Length; i++)
        {
            lie[i] = (float)value(i);
        }

        return [.. scene.Own.Select(_ => (float[])lie.Clone())];
    }

    private static (double[] Mean, double[] Deviation) Moments(IReadOnlyList<float[]> updates)
    {
        var mean = new double[updates[0].Length];
        var deviation = new double[mean.Length];
        for (var i = 0; i < mean.Length; i++)
        {
            mean[i] = updates.Average(update => (double)update[i]);
            deviation[i] = Math.Sqrt(updates.Average(update => (update[i] - mean[i]) * (update[i] - mean[i])));
        }

        return (mean, deviation);
    }

    private static double Distance(float[] a, float[] b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
        {
            sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        }

        return Math.Sqrt(sum);
    }

    /// <summary>The standard normal's quantile by bisection of its distribution function; p in (0, 1).</summary>
    private static double Quantile(double p)
    {
        var (low, high) = (-8.0, 8.0);
        for (var step = 0; step < 80; step++)
        {
            var middle = (low + high) / 2;
            (low, high) = Distribution(middle) < p ? (middle, high) : (low, middle);
        }

        return (low + high) / 2;
    }

    // Abramowitz and Stegun 26.2.17, error below 7.5e-8: ample for the place of a lie.
    private static double Distribution(double x)
    {
        var t = 1 / (1 + (0.2316419 * Math.Abs(x)));
        var tail = Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI)
            * t * (0.319381530 + (t * (-0.356563782 + (t * (1.781477937 + (t * (-1.821255978 + (t * 1.330274429))))))));
        return x >= 0 ? 1 - tail : tail;
    }
}
