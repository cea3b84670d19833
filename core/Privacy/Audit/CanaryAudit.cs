namespace FedServerless.Privacy;

/// <summary>
/// What guesses about canaries say of ε: Steinke, Nasr and Jagielski 2023, "Privacy auditing with one training run", arXiv:2305.08846. Each of m
/// canary clients was included by its own fair coin; the auditor guesses which, or abstains. Immutable.
/// </summary>
public sealed record CanaryAudit
{
    /// <summary>The most canaries.</summary>
    public const int MostCanaries = 100_000;

    // Far above any ε that so few coins could show.
    private const double LargestEpsilon = 64;

    /// <summary>The outcome of an audit.</summary>
    /// <param name="canaries">m, between 1 and <see cref="MostCanaries"/>, each included by an independent fair coin.</param>
    /// <param name="guesses">r ≤ m: those not abstained from. How many must be decided before looking at what was right.</param>
    /// <param name="correct">v ≤ r.</param>
    public CanaryAudit(int canaries, int guesses, int correct)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(canaries, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(canaries, MostCanaries);
        ArgumentOutOfRangeException.ThrowIfNegative(guesses);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(guesses, canaries);
        ArgumentOutOfRangeException.ThrowIfNegative(correct);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(correct, guesses);
        (Canaries, Guesses, Correct) = (canaries, guesses, correct);
    }

    /// <summary>m.</summary>
    public int Canaries { get; }

    /// <summary>r.</summary>
    public int Guesses { get; }

    /// <summary>v.</summary>
    public int Correct { get; }

    /// <summary>
    /// The largest probability of so many correct guesses or more under any (ε, δ)-differentially private mechanism, at most 1: theorem 5.2,
    /// <c>β + 2mδ·α</c> with <c>β = P(B ≥ v)</c>, <c>α = maxᵢ P(v &gt; B ≥ v − i)/i</c>, B binomial(r, e^ε/(1 + e^ε)).
    /// </summary>
    /// <param name="epsilon">0 or more.</param>
    /// <param name="delta">In [0, 1).</param>
    public double PValue(double epsilon, double delta)
    {
        if (!(epsilon >= 0))
        {
            throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, "An epsilon is 0 or more.");
        }

        if (!(delta is >= 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(delta), delta, "A delta is at least 0 and below 1.");
        }

        var mass = BinomialTail.LogMass(Guesses, epsilon);
        var beta = Math.Exp(LogSpace.Sum(mass.AsSpan(Correct)));
        var (alpha, below) = (0.0, 0.0);
        for (var i = 1; i <= Correct; i++)
        {
            below += Math.Exp(mass[Correct - i]);
            alpha = Math.Max(alpha, below / i);
        }

        return Math.Min(1, beta + (2 * Canaries * delta * alpha));
    }

    /// <summary>
    /// The one-sided lower bound of ε: a mechanism with less would have done this with probability below 1 − confidence. 0 when nothing is shown.
    /// Never above the bound itself; to 10⁻⁹.
    /// </summary>
    /// <param name="delta">In [0, 1).</param>
    /// <param name="confidence">In (0, 1); 95 %.</param>
    public double LowerBound(double delta, double confidence = 0.95)
    {
        if (!(confidence is > 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(confidence), confidence, "A confidence is between 0 and 1.");
        }

        var allowed = 1 - confidence;
        if (PValue(0, delta) >= allowed)
        {
            return 0;
        }

        var (low, high) = (0.0, LargestEpsilon);
        while (high - low > 1e-9)
        {
            var middle = (low + high) / 2;
            (low, high) = PValue(middle, delta) < allowed ? (middle, high) : (low, middle);
        }

        return low;
    }

    /// <summary>What m canaries could have shown at most: the bound if every one had been guessed, correctly.</summary>
    /// <param name="canaries">m.</param>
    /// <param name="delta">In [0, 1).</param>
    /// <param name="confidence">In (0, 1); 95 %.</param>
    public static double LargestShowable(int canaries, double delta, double confidence = 0.95) =>
        new CanaryAudit(canaries, canaries, canaries).LowerBound(delta, confidence);
}
