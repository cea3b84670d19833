using FedServerless.Cli.Demo;
using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Cli.Privacy.Planning;

/// <summary>What <c>fed privacy plan</c> prices, and how it trains where it measures.</summary>
internal sealed record PrivacyPlanOptions
{
    /// <summary>The most clients that the digits are dealt out to: one sample each at least.</summary>
    public const int MostMeasuredClients = 1400;

    /// <summary>Populations N. Default 200.</summary>
    public IReadOnlyList<long> Clients { get; init; } = [200];

    /// <summary>q of the Poisson sample. Default 0.25.</summary>
    public double Rate { get; init; } = 0.25;

    /// <summary>Clients of a round in expectation, instead of q; null for <see cref="Rate"/>.</summary>
    public double? Cohort { get; init; }

    /// <summary>Numbers of rounds. Default 40.</summary>
    public IReadOnlyList<int> Rounds { get; init; } = [40];

    /// <summary>δ; null for 1/(10N), that of the levels.</summary>
    public double? Delta { get; init; }

    /// <summary>ε against model holders to find the noise for; the levels' among them. Default 1 to 8.</summary>
    public IReadOnlyList<double> Epsilons { get; init; } = [1, 1.25, 2, 3, 5, 8];

    /// <summary>Noise multipliers to price, instead of ε; empty for ε.</summary>
    public IReadOnlyList<double> Noise { get; init; } = [];

    /// <summary>Also train, and say what accuracy is left.</summary>
    public bool Measure { get; init; }

    /// <summary>Seeds 0 to n − 1 of a measurement. Default 5.</summary>
    public int Seeds { get; init; } = 5;

    /// <summary>How the digits are dealt out. Default evenly.</summary>
    public PartitionChoice Partition { get; init; } = PartitionChoice.Iid;

    /// <summary>C, the first one where it adapts. Default 1, that of a run.</summary>
    public double Clip { get; init; } = 1;

    /// <summary>The quantile that C follows; null for a fixed C.</summary>
    public double? Quantile { get; init; }

    /// <summary>
    /// What a client does: full batches, since it has a few samples only, and a rate that makes its delta longer than C. The shorter a delta is beside C, the
    /// more the noise, which is proportional to C, drowns it.
    /// </summary>
    public TrainingSpec Training { get; init; } = new() { Epochs = 5, BatchSize = 0, LearningRate = 2 };

    /// <summary>Where the table goes as CSV; null for nowhere.</summary>
    public string? Csv { get; init; }

    /// <summary>Where the figure goes, SVG; null for nowhere.</summary>
    public string? Figure { get; init; }

    /// <summary>Write the result as JSON on the last line.</summary>
    public bool Json { get; init; }

    /// <summary>What cannot be planned, each with what would be right.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        Each("--clients", Clients, n => n is >= 1 and <= RunLimits.MaxPrivateClients, $"1 to {RunLimits.MaxPrivateClients}");
        Each("--rounds", Rounds, rounds => rounds is >= 1 and <= RunLimits.MaxRounds, $"1 to {RunLimits.MaxRounds}");
        Each("--epsilon", Epsilons, epsilon => epsilon is > 0 and <= RunLimits.MaxEpsilon, $"above 0, at most {RunLimits.MaxEpsilon}");
        Each("--noise", Noise, z => z is >= ReleaseEvent.LeastNoiseMultiplier and <= ReleaseEvent.LargestNoiseMultiplier, $"{ReleaseEvent.LeastNoiseMultiplier} to {ReleaseEvent.LargestNoiseMultiplier}");
        Each("--rate", [Rate], q => q is > 0 and <= 1, "above 0, at most 1");
        Each("--clip", [Clip], c => c is >= UpdateClip.LeastClip and <= UpdateClip.LargestClip, $"{UpdateClip.LeastClip} to {UpdateClip.LargestClip}");
        Each<double>("--adapt", Quantile is { } quantile ? [quantile] : [], share => share is > 0 and < 1, "above 0 and below 1");
        Each("--lr", [Training.LearningRate], rate => rate is > 0 and <= 1000, "above 0, at most 1000");
        if (problems.Count > 0)
        {
            return problems;
        }

        foreach (var n in Clients)
        {
            if (Delta is { } delta && (!(delta is > 0 and < 1) || DeltaRule.Judge(delta, n) == DeltaVerdict.Meaningless))
            {
                problems.Add($"--delta is {delta}; expected above 0 and below 1/N = {1.0 / n}: publishing one client at random keeps a delta of 1/N.");
            }

            if (Cohort is { } cohort && !(cohort > 0 && cohort <= n))
            {
                problems.Add($"--cohort is {cohort}; expected above 0, at most --clients, {n}.");
            }

            if (Measure && n > MostMeasuredClients)
            {
                problems.Add($"--clients is {n}; expected at most {MostMeasuredClients} with --measure: there are no more digits.");
            }
        }

        return problems;

        void Each<T>(string option, IReadOnlyList<T> values, Func<T, bool> isRight, string expected) =>
            problems.AddRange(values.Where(value => !isRight(value)).Select(value => $"{option} is {value}; expected {expected}."));
    }
}
