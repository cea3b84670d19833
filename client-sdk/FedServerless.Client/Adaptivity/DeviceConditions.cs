namespace FedServerless.Client;

/// <summary>
/// How a device is doing, as its host application says. Whatever is null is not known and stands in nobody's way. Stays on the device, but
/// for <see cref="MemoryBytes"/>.
/// </summary>
public sealed record DeviceConditions
{
    /// <summary>True on a network that costs by the byte; null when not known.</summary>
    public bool? IsMetered { get; init; }

    /// <summary>Charge of the battery, 0 to 1; null without one, or when not known.</summary>
    public double? Battery { get; init; }

    /// <summary>True on mains power; null when not known.</summary>
    public bool? IsCharging { get; init; }

    /// <summary>False while somebody or something else needs the device; null when not known.</summary>
    public bool? IsIdle { get; init; }

    /// <summary>Memory that training could use, in bytes; null for what the runtime says is free.</summary>
    public long? MemoryBytes { get; init; }
}
