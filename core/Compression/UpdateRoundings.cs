namespace FedServerless.Compression;

/// <summary>How a codec turns values into whole levels of its scale.</summary>
public static class UpdateRoundings
{
    /// <summary>To the nearest level, halves to the even one: the least error of one update. The default.</summary>
    public const string Nearest = "nearest";

    /// <summary>
    /// Up or down at random, such that the expectation is the value itself: QSGD (Alistarh et al. 2017, arXiv:1610.02132, section 3.1).
    /// The mean over many clients is then not biased; one update is about twice as far off.
    /// </summary>
    public const string Stochastic = "stochastic";

    /// <summary>Every name.</summary>
    public static IReadOnlyList<string> Names { get; } = [Nearest, Stochastic];
}
