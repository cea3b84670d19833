namespace FedServerless.Privacy;

/// <summary>How small a δ must be: it is the probability that the promise of ε fails, for every one of N units.</summary>
public static class DeltaRule
{
    /// <summary>Judges a δ.</summary>
    /// <param name="delta">In (0, 1).</param>
    /// <param name="population">N, 1 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">δ is not in (0, 1), or N below 1.</exception>
    public static DeltaVerdict Judge(double delta, long population)
    {
        RenyiCurve.ThrowIfNotDelta(delta);
        ArgumentOutOfRangeException.ThrowIfLessThan(population, 1);
        return delta * population >= 1 ? DeltaVerdict.Meaningless : delta * population > 0.1 ? DeltaVerdict.Large : DeltaVerdict.Sound;
    }
}
