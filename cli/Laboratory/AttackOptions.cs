using FedServerless.Aggregation.Robust;
using FedServerless.Cli.Demo;

namespace FedServerless.Cli.Laboratory;

/// <summary>What the laboratory runs.</summary>
internal sealed record AttackOptions
{
    /// <summary>Clients, liars among them. Default 10.</summary>
    public int Clients { get; init; } = 10;

    /// <summary>Liars, fewer than half. Default 3.</summary>
    public int Liars { get; init; } = 3;

    /// <summary>Rounds. Default 30.</summary>
    public int Rounds { get; init; } = 30;

    /// <summary>Rules, with what is done before them.</summary>
    public IReadOnlyList<string> Rules { get; init; } = AggregationRules.Names;

    /// <summary>Attacks by name.</summary>
    public IReadOnlyList<string> Attacks { get; init; } = [.. Laboratory.Attacks.All.Select(attack => attack.Name)];

    /// <summary>How the digits are dealt out.</summary>
    public IReadOnlyList<PartitionChoice> Partitions { get; init; } = [PartitionChoice.Iid];

    /// <summary>Seeds 0 to n − 1; figures are means over them. Default 1.</summary>
    public int Seeds { get; init; } = 1;

    /// <summary>The pre-step of every rule that can have one. Default none.</summary>
    public string Mixing { get; init; } = AggregationRules.NoMixing;

    /// <summary>Where the table goes as CSV; null for nowhere.</summary>
    public string? Csv { get; init; }

    /// <summary>Where the tables go as a picture, SVG; null for nowhere.</summary>
    public string? Figure { get; init; }

    /// <summary>Write the result as JSON on the last line.</summary>
    public bool Json { get; init; }
}
