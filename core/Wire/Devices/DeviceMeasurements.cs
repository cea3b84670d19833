using System.Globalization;
using System.Numerics;
using System.Text.Json.Serialization;

namespace FedServerless.Wire;

/// <summary>
/// What a device has measured of its link and of itself, told in a check-in. Each may be missing. Values are rounded to two digits and
/// bounded before they leave the device: they say how fast it is, not which one it is.
/// </summary>
public sealed record DeviceMeasurements
{
    /// <summary>Slowest and fastest link that is believed, in bytes a second.</summary>
    public const double MinRate = 1, MaxRate = 1e11;

    /// <summary>Shortest and longest latency that is believed, in seconds.</summary>
    public const double MinLatency = 1e-6, MaxLatency = 600;

    /// <summary>Fastest and slowest training that is believed, in seconds a sample and pass.</summary>
    public const double MinSecondsPerSample = 1e-9, MaxSecondsPerSample = 1e5;

    /// <summary>Least and most memory that is believed, in bytes: 1 MiB and 16 TiB.</summary>
    public const long MinMemory = 1L << 20, MaxMemory = 1L << 44;

    /// <summary>Bytes a second from the device to the store, <see cref="MinRate"/> to <see cref="MaxRate"/>; null when not measured.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? UpBytesPerSecond { get; init; }

    /// <summary>Bytes a second from the store to the device, <see cref="MinRate"/> to <see cref="MaxRate"/>; null when not measured.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? DownBytesPerSecond { get; init; }

    /// <summary>Time from a small request to its answer, in seconds, <see cref="MinLatency"/> to <see cref="MaxLatency"/>; null when not measured.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? LatencySeconds { get; init; }

    /// <summary>
    /// Time to train on one sample once, in seconds, <see cref="MinSecondsPerSample"/> to <see cref="MaxSecondsPerSample"/>; null when not
    /// measured. A batch of b takes b times it.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? SecondsPerSample { get; init; }

    /// <summary>
    /// Samples a pass has, 1 to <see cref="RunLimits.MaxSamples"/>, as the last receipt claimed them; null when not known. Never learned
    /// in a private round.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Samples { get; init; }

    /// <summary>Memory that training could use, in bytes, <see cref="MinMemory"/> to <see cref="MaxMemory"/>; null when not known.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? MemoryBytes { get; init; }

    /// <summary>True when nothing is known.</summary>
    [JsonIgnore]
    public bool IsEmpty => this == new DeviceMeasurements();

    /// <summary>Everything that is wrong; empty for what may be believed.</summary>
    /// <param name="field">Path of the measurements in the document they came in.</param>
    public IReadOnlyList<Problem> Validate(string field)
    {
        ArgumentNullException.ThrowIfNull(field);
        var findings = new Findings(field);
        findings.OptionalRange("upBytesPerSecond", UpBytesPerSecond, MinRate, MaxRate, required: false);
        findings.OptionalRange("downBytesPerSecond", DownBytesPerSecond, MinRate, MaxRate, required: false);
        findings.OptionalRange("latencySeconds", LatencySeconds, MinLatency, MaxLatency, required: false);
        findings.OptionalRange("secondsPerSample", SecondsPerSample, MinSecondsPerSample, MaxSecondsPerSample, required: false);
        findings.OptionalRange("samples", Samples, 1, RunLimits.MaxSamples, required: false);
        findings.OptionalRange("memoryBytes", MemoryBytes, MinMemory, MaxMemory, required: false);
        return findings.Problems;
    }

    /// <summary>
    /// The same within the bounds and to two decimal digits; memory to a power of two, downwards. What is no number becomes null.
    /// </summary>
    public DeviceMeasurements Coarse() => new()
    {
        UpBytesPerSecond = Round(UpBytesPerSecond, MinRate, MaxRate),
        DownBytesPerSecond = Round(DownBytesPerSecond, MinRate, MaxRate),
        LatencySeconds = Round(LatencySeconds, MinLatency, MaxLatency),
        SecondsPerSample = Round(SecondsPerSample, MinSecondsPerSample, MaxSecondsPerSample),
        Samples = (long?)Round(Samples, 1, RunLimits.MaxSamples),
        MemoryBytes = MemoryBytes is { } memory ? 1L << BitOperations.Log2((ulong)Math.Clamp(memory, MinMemory, MaxMemory)) : null,
    };

    private static double? Round(double? value, double least, double most)
    {
        if (value is not { } measured || double.IsNaN(measured))
        {
            return null;
        }

        // Two digits in scientific notation, read back: the nearest double, the same on every machine.
        var bounded = Math.Clamp(measured, least, most);
        var text = bounded.ToString("E1", CultureInfo.InvariantCulture);
        return Math.Clamp(double.Parse(text, CultureInfo.InvariantCulture), least, most);
    }
}
