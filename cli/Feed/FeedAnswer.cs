namespace FedServerless.Cli.Feed;

/// <summary>Whether the configured feed can serve an optional part's packages.</summary>
internal enum FeedVerdict
{
    /// <summary>It can; or what is wrong is not the feed's doing, and the build will say it.</summary>
    Served,

    /// <summary>It answered, and lacks a package or a version. Only this is remembered.</summary>
    NotFound,

    /// <summary>It could not be asked: a network failure, a server's error, no answer in time. The next run asks again.</summary>
    Unreachable,
}

/// <summary>What a feed said.</summary>
/// <param name="Verdict">The verdict.</param>
/// <param name="Why">The packages it lacks, or why it could not be asked, without a full stop; empty where it serves all.</param>
internal sealed record FeedAnswer(FeedVerdict Verdict, string Why)
{
    public static FeedAnswer Served { get; } = new(FeedVerdict.Served, "");
}
