using System.Diagnostics;

namespace FedServerless.Core.Tests;

/// <summary>Runs a probe in a process of its own under each setting of the runtime's vector switches.</summary>
internal static class CoreProbe
{
    /// <summary>The settings: what this machine has, then less and less, then a wider <c>Vector&lt;T&gt;</c>.</summary>
    public static readonly IReadOnlyList<(string Setting, string Value)> Widths =
    [
        ("", ""),
        ("DOTNET_EnableAVX512", "0"),
        ("DOTNET_EnableAVX2", "0"),
        ("DOTNET_EnableHWIntrinsic", "0"),
        ("DOTNET_MaxVectorTBitWidth", "512"),
    ];

    /// <summary>The digest and the vector widths that the probe printed.</summary>
    public static (string Digest, string Widths) Run(string probe, (string Setting, string Value) width)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "FedServerless.Core.Probe" + (OperatingSystem.IsWindows() ? ".exe" : ""));
        var start = new ProcessStartInfo(program, [probe]) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (width.Setting.Length > 0)
        {
            start.Environment[width.Setting] = width.Value;
        }

        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var lines = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error.Result);
        return (lines[0], lines[1]);
    }
}
