namespace FedServerless.Privacy;

/// <summary>Bounds between which the true ε lies: rounding, truncation, the grid of the noise and the arithmetic are all inside.</summary>
/// <param name="Lower">No less is true.</param>
/// <param name="Upper">What to show and to promise.</param>
/// <param name="Delta">The δ asked for.</param>
public readonly record struct EpsilonBracket(double Lower, double Upper, double Delta)
{
    /// <summary>The price to promise.</summary>
    public PrivacySpend Spend => new(Upper, Delta);
}
