namespace FedServerless.Cli.Testing;

/// <summary>What <c>fed test</c> runs.</summary>
internal sealed record TestOptions
{
    /// <summary>Run the long tests too. Default false.</summary>
    public bool Long { get; init; }

    /// <summary>Only tests whose full name contains this, or an xunit query that begins with <c>/</c>; null for all.</summary>
    public string? Filter { get; init; }

    /// <summary>Only projects whose name contains this; null for all.</summary>
    public string? Project { get; init; }

    /// <summary>Optional parts that are built: tests with the trait <c>StandsInFor</c> one of these are left out.</summary>
    public IReadOnlyList<string> Served { get; init; } = [];

    /// <summary>Programs at a time, 1 to 64.</summary>
    public int Jobs { get; init; } = 1;

    /// <summary>Longest time a program gets before it counts as hung: 20 minutes, or 3 hours with the long tests.</summary>
    public TimeSpan TimeLimit => Long ? TimeSpan.FromHours(3) : TimeSpan.FromMinutes(20);

    /// <summary>The filter as arguments of an xunit program.</summary>
    public IReadOnlyList<string> FilterArguments => Filter switch
    {
        null => StandIns,
        ['/', ..] => ["-filter", Filter],
        _ => ["-method", $"*{Filter.Trim('*')}*", .. StandIns],
    };

    // xunit takes no such exclusions together with a query.
    private IReadOnlyList<string> StandIns => [.. Served.SelectMany(part => new[] { "-trait-", $"StandsInFor={part}" })];
}
