using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Cli.Privacy.Auditing;

/// <summary>What <c>fed privacy audit</c> tries.</summary>
internal sealed record PrivacyAuditOptions
{
    public const int LeastCanaries = 10;

    public const int MostCanaries = 10_000;

    /// <summary>Each is a client of its own in this process, and its coordinate is one of a block.</summary>
    public const int MostHostCanaries = 500;

    /// <summary>m. Default 1000.</summary>
    public int Canaries { get; init; } = 1000;

    /// <summary>r, even; null for a fifth of m: guesses at the ends are worth more than many near the middle.</summary>
    public int? Guesses { get; init; }

    /// <summary>T. Default 2, so that noise which rounds share is seen.</summary>
    public int Rounds { get; init; } = 2;

    /// <summary>q of the Poisson sample. Default 1: nothing amplifies, and the audit sees most.</summary>
    public double Rate { get; init; } = 1;

    /// <summary>ε claimed for all rounds; the noise is found for it. Default 2.</summary>
    public double Epsilon { get; init; } = 2;

    /// <summary>z, instead of an ε; null for <see cref="Epsilon"/>.</summary>
    public double? Noise { get; init; }

    /// <summary>δ. Default 1e-5.</summary>
    public double Delta { get; init; } = 1e-5;

    /// <summary>C. Default 1.</summary>
    public double Clip { get; init; } = 1;

    /// <summary>Blocks of coordinates, each noised by itself. Default 16: clipping in each would let four times too much through.</summary>
    public int Blocks { get; init; } = 16;

    /// <summary>Audit a real host's rounds instead of the mechanism in memory.</summary>
    public bool Host { get; init; }

    /// <summary>How long each of its rounds waits: a private round waits to its end. Null for 5 seconds and one more for every 20 canaries.</summary>
    public TimeSpan? RoundLength { get; init; }

    /// <summary>Write the result as JSON.</summary>
    public bool Json { get; init; }

    /// <summary>Coordinates of a block: in memory as few as the canaries need.</summary>
    public int BlockSize => Host ? RunLimits.MinBlockCoordinates : Canaries;

    /// <summary>r.</summary>
    public int GuessCount => Guesses ?? Math.Max(2, Canaries / 10 * 2);

    /// <summary>What cannot be audited, each with what would be right.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        Check(GuessCount >= 2 && GuessCount <= Canaries && GuessCount % 2 == 0, "--guesses", GuessCount, $"an even number from 2 to --canaries, {Canaries}");
        Check(Rate is > 0 and <= 1, "--rate", Rate, "above 0, at most 1");
        Check(Epsilon is > 0 and <= RunLimits.MaxEpsilon, "--epsilon", Epsilon, $"above 0, at most {RunLimits.MaxEpsilon}");
        Check(Noise is null or (>= ReleaseEvent.LeastNoiseMultiplier and <= ReleaseEvent.LargestNoiseMultiplier), "--noise", Noise ?? 0, $"{ReleaseEvent.LeastNoiseMultiplier} to {ReleaseEvent.LargestNoiseMultiplier}");
        Check(Delta is > 0 and < 1 && DeltaRule.Judge(Delta, Canaries) != DeltaVerdict.Meaningless, "--delta", Delta, $"above 0 and below 1/m = {1.0 / Canaries}: publishing one client at random keeps a delta of 1/m");
        Check(Clip is >= UpdateClip.LeastClip and <= UpdateClip.LargestClip, "--clip", Clip, $"{UpdateClip.LeastClip} to {UpdateClip.LargestClip}");
        Check(!Host || Canaries <= MostHostCanaries, "--canaries", Canaries, $"at most {MostHostCanaries} with --host");
        Check(RoundLength is null || (Host && RoundLength.Value.TotalSeconds >= 1), "--round-length", RoundLength?.TotalSeconds ?? 0, "1s or more, with --host");
        return problems;

        void Check(bool isRight, string option, double value, string expected)
        {
            if (!isRight)
            {
                problems.Add($"{option} is {value}; expected {expected}.");
            }
        }
    }
}
