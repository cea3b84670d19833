using FedServerless.Capacity;

namespace FedServerless.Activities.Metering;

/// <summary>How usage is measured and priced.</summary>
public sealed record UsageOptions
{
    /// <summary>Least memory of an instance, in MB.</summary>
    public const int MinInstanceMemoryMb = 128;

    /// <summary>Most memory of an instance, in MB.</summary>
    public const int MaxInstanceMemoryMb = 65_536;

    /// <summary>Memory of an instance in MB, 128 to 65 536. Default 2048.</summary>
    public int InstanceMemoryMb { get; init; } = 2048;

    /// <summary>What things cost. Default: the example.</summary>
    public PriceTable Prices { get; init; } = new();

    /// <summary>Shortest time between two writes of the same round's usage while little happens, above 0. Default 30 s.</summary>
    public TimeSpan FlushEvery { get; init; } = TimeSpan.FromSeconds(30);
}
