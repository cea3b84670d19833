using System.Text.Json;
using FedServerless.Client.State;
using FedServerless.Wire;

namespace FedServerless.Client.Adaptivity;

/// <summary>
/// What this device has measured of its link and of its training: moving averages of what work did anyway, nothing is sent to measure.
/// Kept across restarts.
/// </summary>
internal sealed class DeviceMeter
{
    /// <summary>Weight of the newest measurement in an average.</summary>
    public const double Newest = 0.3;

    /// <summary>Shortest transfer whose rate means anything: below it latency is all there is.</summary>
    public const int LeastBytes = 16 * 1024;

    /// <summary>See <see cref="BytesPerBreak"/>.</summary>
    public const double Trust = 4;

    private readonly string _path;
    private MeterRecord _record = new();
    private bool _isDirty;

    public DeviceMeter(StateFolder folder)
    {
        _path = folder.File("measured.json");
        try
        {
            if (File.Exists(_path) && JsonSerializer.Deserialize(File.ReadAllBytes(_path), StateJson.Default.MeterRecord) is { } stored)
            {
                _record = Clean(stored);
            }
        }
        catch (Exception problem) when (problem is JsonException or IOException or UnauthorizedAccessException)
        {
            // Measurements come again by themselves.
        }
    }

    /// <summary>Bytes a second to the store; where that was never measured a quarter of what comes from it, as on most lines.</summary>
    public double? Up => Sound(_record.Up) ?? (Sound(_record.Down) / 4);

    /// <summary>
    /// Bytes that get through between two breaks of the link. One that has not broken yet is trusted with <see cref="Trust"/> times what it
    /// has carried: parts cannot be cut anew once they are announced, so they begin short and grow.
    /// </summary>
    public double BytesPerBreak => Sound(_record.PerBreak) is { } usual ? Math.Max(usual, _record.SinceBreak) : Trust * _record.SinceBreak;

    /// <summary>Bytes went through, in or out.</summary>
    public void Moved(long bytes) => Change(_record with { SinceBreak = _record.SinceBreak + bytes });

    /// <summary>So many bytes came in within so long.</summary>
    public void Received(long bytes, TimeSpan took) => Change(_record with { Down = Rate(_record.Down, bytes, took) });

    /// <summary>So many bytes went out, and were acknowledged, within so long.</summary>
    public void Sent(long bytes, TimeSpan took) => Change(_record with { Up = Rate(_record.Up, bytes, took) });

    /// <summary>A small request was answered.</summary>
    public void Answered(TimeSpan took)
    {
        if (took > TimeSpan.Zero)
        {
            Change(_record with { Latency = Average(_record.Latency, took.TotalSeconds) });
        }
    }

    /// <summary>The link broke in the middle of a transfer.</summary>
    public void Broke() => Change(_record with { PerBreak = Average(_record.PerBreak, Math.Max(1, _record.SinceBreak)), SinceBreak = 0 });

    /// <summary>The trainer passed over so many samples. Not for private rounds: it says how many there are.</summary>
    public void Trained(long samples, int epochs, TimeSpan took)
    {
        if (took > TimeSpan.Zero)
        {
            Change(_record with { PerSample = Average(_record.PerSample, took.TotalSeconds / ((double)samples * epochs)), Samples = samples });
        }
    }

    /// <summary>What is told to the server; null for nothing.</summary>
    /// <param name="conditions">What the host says of the device; null for nothing.</param>
    public DeviceMeasurements? Told(DeviceConditions? conditions)
    {
        var measured = new DeviceMeasurements
        {
            UpBytesPerSecond = Sound(_record.Up),
            DownBytesPerSecond = Sound(_record.Down),
            LatencySeconds = Sound(_record.Latency),
            SecondsPerSample = Sound(_record.PerSample),
            Samples = _record.Samples,
            MemoryBytes = conditions?.MemoryBytes ?? FreeMemory(),
        }.Coarse();
        return measured.IsEmpty ? null : measured;
    }

    /// <summary>Puts the averages on disk, between two pieces of work.</summary>
    public void Settle()
    {
        if (_isDirty)
        {
            StateFolder.WriteWhole(_path, JsonSerializer.SerializeToUtf8Bytes(_record, StateJson.Default.MeterRecord));
            _isDirty = false;
        }
    }

    private static long? FreeMemory()
    {
        var memory = GC.GetGCMemoryInfo();
        var free = memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes;
        return free > 0 ? free : null;
    }

    private static double? Sound(double? value) => value is > 0 and < double.PositiveInfinity ? value : null;

    private static double Average(double? usual, double newest) => Sound(usual) is { } known ? (Newest * newest) + ((1 - Newest) * known) : newest;

    private static double? Rate(double? usual, long bytes, TimeSpan took) =>
        bytes >= LeastBytes && took > TimeSpan.Zero ? Average(usual, bytes / took.TotalSeconds) : usual;

    private void Change(MeterRecord record)
    {
        _record = Clean(record);
        _isDirty = true;
    }

    /// <summary>Without what is no measurement, whether a file or a clock has it from: JSON could not hold it, nor averages get rid of it.</summary>
    private static MeterRecord Clean(MeterRecord record) => record with
    {
        Up = Sound(record.Up),
        Down = Sound(record.Down),
        Latency = Sound(record.Latency),
        PerSample = Sound(record.PerSample),
        Samples = record.Samples >= 1 ? record.Samples : null,
        PerBreak = Sound(record.PerBreak),
        SinceBreak = Sound(record.SinceBreak) ?? 0,
    };
}

/// <summary>The file of a <see cref="DeviceMeter"/>; rates in bytes a second, times in seconds.</summary>
internal sealed record MeterRecord
{
    public double? Up { get; init; }

    public double? Down { get; init; }

    public double? Latency { get; init; }

    public double? PerSample { get; init; }

    public long? Samples { get; init; }

    public double? PerBreak { get; init; }

    public double SinceBreak { get; init; }
}
