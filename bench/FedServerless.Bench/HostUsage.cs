using System.Diagnostics;
using System.Globalization;

namespace FedServerless.Bench;

/// <summary>What another process has used so far.</summary>
/// <param name="Processor">Processor time, all threads.</param>
/// <param name="ResidentBytes">Memory it holds now.</param>
/// <param name="PeakBytes">Most memory it ever held at once; on Linux VmHWM.</param>
internal sealed record HostUsage(TimeSpan Processor, long ResidentBytes, long PeakBytes)
{
    public static HostUsage Of(int processId)
    {
        using var process = Process.GetProcessById(processId);
        return new HostUsage(process.TotalProcessorTime, process.WorkingSet64, PeakOf(process));
    }

    // Process.PeakWorkingSet64 is 0 on Linux.
    private static long PeakOf(Process process)
    {
        if (!OperatingSystem.IsLinux())
        {
            return process.PeakWorkingSet64;
        }

        const string Field = "VmHWM:";
        var line = File.ReadLines($"/proc/{process.Id}/status").First(line => line.StartsWith(Field, StringComparison.Ordinal));
        return 1024 * long.Parse(line.AsSpan(Field.Length).Trim().TrimEnd(" kB"), CultureInfo.InvariantCulture);
    }
}
