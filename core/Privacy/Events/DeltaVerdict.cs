namespace FedServerless.Privacy;

/// <summary>What a δ is worth in a population of N units.</summary>
public enum DeltaVerdict
{
    /// <summary>At most 1/(10N).</summary>
    Sound,

    /// <summary>Above 1/(10N) and below 1/N: worth a warning.</summary>
    Large,

    /// <summary>1/N or more: publishing one unit, chosen at random, would keep the promise. To be refused.</summary>
    Meaningless,
}
