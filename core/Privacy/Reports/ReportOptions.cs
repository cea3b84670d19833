namespace FedServerless.Privacy;

/// <summary>What a report has beside the Rényi ε.</summary>
/// <param name="Classic">The ε by the classic conversion too, to compare with older figures.</param>
/// <param name="Tight">The bracket of <see cref="TightAccountant"/>, where the schedule was fixed in advance.</param>
public sealed record ReportOptions(bool Classic = false, bool Tight = true)
{
    /// <summary>The most kinds of release for which there is a bracket.</summary>
    public const int MostKinds = 8;

    /// <summary>The most releases for which there is a bracket: a second or two of work.</summary>
    public const long MostReleases = 20_000;
}
