using FedServerless.Privacy;

namespace FedServerless.Cli.Privacy.Auditing;

/// <summary>
/// An audit with one run: m canary clients, each let in by its own fair coin; what was released is scored against each one's direction; the ends are
/// guessed (Steinke, Nasr and Jagielski 2023, arXiv:2305.08846).
/// </summary>
/// <param name="options">Legal.</param>
/// <param name="steps">Coins and noise; null for the operating system's.</param>
internal sealed class CanaryAuditor(PrivacyAuditOptions options, RoundSteps? steps = null)
{
    private readonly RoundSteps _steps = steps ?? new RoundSteps();

    /// <summary>The directions that the canaries send.</summary>
    public CanaryDirections Directions { get; } = new(options.Canaries, checked(options.BlockSize * options.Blocks), options.BlockSize);

    /// <summary>C and its grid.</summary>
    public UpdateGrid Grid { get; } = new(options.Clip, UpdateGrid.BitsFor((long)options.BlockSize * options.Blocks));

    /// <summary>z that is claimed.</summary>
    public double Noise { get; } = options.Noise ?? NoiseCalibration.Rounds(
        new PrivacySpend(options.Epsilon, options.Delta), options.Rate, options.Rounds, UpdateGrid.BitsFor((long)options.BlockSize * options.Blocks));

    /// <summary>qN: every canary is of the population, whether its coin lets it in or not.</summary>
    public double Denominator => options.Rate * options.Canaries;

    /// <summary>Audits the mechanism of the core.</summary>
    public PrivacyAuditResult Run(CancellationToken cancellationToken) =>
        Run(new MemoryMechanism(_steps, Grid, Denominator, Noise), cancellationToken);

    /// <summary>Audits a mechanism that claims <see cref="Noise"/>.</summary>
    public PrivacyAuditResult Run(IAuditedMechanism mechanism, CancellationToken cancellationToken)
    {
        var (isIn, comes) = (Toss(), new bool[options.Canaries]);
        var (scores, mean) = (new double[options.Canaries], new double[Directions.Dimension]);
        for (var round = 1; round <= options.Rounds; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _steps.Toss(options.Rate, comes);
            var number = round;
            mechanism.Release(isIn.Index().Where(coin => coin.Item && comes[coin.Index]).Select(coin => Directions.Update(coin.Index, number, options.Clip)), mean);
            AddScores(scores, round, mean);
        }

        return Judge(PrivacyAuditResult.Memory, isIn, scores);
    }

    /// <summary>Each canary's coin: whether it is let in.</summary>
    public bool[] Toss()
    {
        var isIn = new bool[options.Canaries];
        _steps.Toss(0.5, isIn);
        return isIn;
    }

    /// <summary>Adds what a round released to the canaries' scores.</summary>
    public void AddScores(double[] scores, int round, ReadOnlySpan<double> released)
    {
        for (var canary = 0; canary < scores.Length; canary++)
        {
            scores[canary] += Directions.Score(canary, round, released);
        }
    }

    /// <summary>Guesses, counts what was right, and says what that shows.</summary>
    public PrivacyAuditResult Judge(string audited, bool[] isIn, double[] scores)
    {
        var guesses = CanaryDirections.Guess(scores, options.GuessCount);
        var correct = guesses.Index().Count(guess => guess.Item == isIn[guess.Index]);
        var (m, r) = (options.Canaries, options.GuessCount);
        return new PrivacyAuditResult(
            audited, m, isIn.Count(coin => coin), r, correct, options.Rounds, options.Rate, Noise, options.Delta, Claimed(),
            new CanaryAudit(m, r, correct).LowerBound(options.Delta), CanaryAudit.LargestShowable(m, options.Delta), new CanaryAudit(m, r, r).LowerBound(options.Delta));
    }

    // An auditor sees released models only, so the claim against model holders is what is at stake; at q = 1 both claims are one.
    private double Claimed()
    {
        var release = new NoisyRelease(ClientSampling.Poisson, options.Rate, Noise) { GridBits = Grid.Bits };
        return new TightAccountant().Epsilon(new RepeatedEvent(release.Against(PrivacyAdversary.ModelHolder), options.Rounds), options.Delta).Upper;
    }
}
