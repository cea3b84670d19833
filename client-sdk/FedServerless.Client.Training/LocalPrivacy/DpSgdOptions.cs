using System.Globalization;
using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Client.Training;

/// <summary>
/// How a site protects its examples before anything leaves it. Everything here is the site's own choice: no server can change it,
/// and none of it may be computed from the examples.
/// </summary>
public sealed record DpSgdOptions
{
    /// <summary>Most that <see cref="MaxStepsPerRound"/> may be.</summary>
    public const int LargestStepsPerRound = 100_000;

    /// <summary>
    /// The file that remembers what was spent, created owner-only where it does not exist; in the client's state folder, say. One for all
    /// training on the same examples, whatever the model: who deletes it deletes the promise.
    /// </summary>
    public required string LedgerFile { get; init; }

    /// <summary>
    /// N, about how many examples this site has: a declared constant, 1 or more, that the server sees in place of the true count. Gradients
    /// are divided by q·N whatever a batch holds.
    /// </summary>
    public required long Samples { get; init; }

    /// <summary>q: the probability of each example to be in a step's batch, above 0 and at most 1. A smaller one costs less a step.</summary>
    public required double SamplingRate { get; init; }

    /// <summary>C: the norm that every example's gradient is clipped to, all tensors jointly; 1e-12 to 1e12.</summary>
    public required double ClipNorm { get; init; }

    /// <summary>z: the standard deviation of the noise on a batch's sum of gradients over C; 0.01 to 1 000 000, useful from about 0.5.</summary>
    public required double NoiseMultiplier { get; init; }

    /// <summary>
    /// (ε, δ) that all training on these examples may spend; training stops before it would pass it. ε above 0 and finite; δ below 1/N, and
    /// worth a warning above 1/(10N). δ cannot change once the ledger exists.
    /// </summary>
    public required PrivacySpend Budget { get; init; }

    /// <summary>Most steps of a round, whatever number of epochs the server asks for; 1 to 100 000. Default 1000.</summary>
    public int MaxStepsPerRound { get; init; } = 1000;

    /// <summary>q·N: what a step's noised sum is divided by.</summary>
    public double ExpectedBatch => SamplingRate * Samples;

    /// <summary>Everything that is wrong with these options; empty when nothing is.</summary>
    public IReadOnlyList<Problem> Validate()
    {
        var problems = new List<Problem>();
        Check(!string.IsNullOrWhiteSpace(LedgerFile), nameof(LedgerFile), LedgerFile, "a file's path");
        Check(Samples >= 1, nameof(Samples), Samples, "1 or more");
        Check(SamplingRate is > 0 and <= 1, nameof(SamplingRate), SamplingRate, "above 0, at most 1");
        Check(
            ClipNorm is >= UpdateClip.LeastClip and <= UpdateClip.LargestClip,
            nameof(ClipNorm), ClipNorm, $"{UpdateClip.LeastClip} to {UpdateClip.LargestClip}");
        Check(
            NoiseMultiplier is >= ReleaseEvent.LeastNoiseMultiplier and <= ReleaseEvent.LargestNoiseMultiplier,
            nameof(NoiseMultiplier), NoiseMultiplier, $"{ReleaseEvent.LeastNoiseMultiplier} to {ReleaseEvent.LargestNoiseMultiplier}: without noise nothing is private");
        Check(Budget.Epsilon > 0 && double.IsFinite(Budget.Epsilon), "Budget.Epsilon", Budget.Epsilon, "above 0 and finite");
        Check(
            Budget.Delta is > 0 and < 1 && DeltaRule.Judge(Budget.Delta, Math.Max(1, Samples)) != DeltaVerdict.Meaningless,
            "Budget.Delta", Budget.Delta, "above 0 and below 1/Samples, better below a tenth of that: a δ of 1/N is kept by publishing one example");
        Check(MaxStepsPerRound is >= 1 and <= LargestStepsPerRound, nameof(MaxStepsPerRound), MaxStepsPerRound, $"1 to {LargestStepsPerRound}");
        return problems;

        void Check(bool right, string field, object? value, string expected)
        {
            if (!right)
            {
                problems.Add(new Problem(field, Convert.ToString(value, CultureInfo.InvariantCulture), expected));
            }
        }
    }

    /// <summary>Steps of a round of so many epochs: <c>⌈epochs/q⌉</c>, at most <see cref="MaxStepsPerRound"/>. Not a function of the examples.</summary>
    internal int Steps(int epochs) => (int)Math.Min(MaxStepsPerRound, Math.Ceiling(epochs / SamplingRate));

    internal void ThrowIfWrong()
    {
        if (Validate() is { Count: > 0 } problems)
        {
            throw new ArgumentException(string.Join(' ', problems), "options");
        }
    }
}
