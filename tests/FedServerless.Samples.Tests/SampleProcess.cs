using System.Collections.Concurrent;
using System.Diagnostics;

namespace FedServerless.Samples.Tests;

/// <summary>A sample as its user starts it: a process of its own, in a folder of its own.</summary>
internal sealed class SampleProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task _reading;
    private readonly ConcurrentQueue<string> _output = new();

    private SampleProcess(Process process)
    {
        _process = process;
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    /// <summary>All that it wrote.</summary>
    public IReadOnlyCollection<string> Output => _output;

    /// <summary>Starts a sample that was built beside the tests.</summary>
    public static SampleProcess Start(string name, string folder, params string[] arguments)
    {
        Directory.CreateDirectory(folder);
        var program = Path.Combine(AppContext.BaseDirectory, name + ".dll");

        // A shell without job control lets what it runs in the background ignore Ctrl+C, and children inherit that.
        string[] start = OperatingSystem.IsLinux() ? ["env", "--default-signal=INT", "dotnet"] : ["dotnet"];
        return new SampleProcess(Process.Start(new ProcessStartInfo(start[0], [.. start[1..], program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        })!);
    }

    /// <summary>Sends a signal, INT for Ctrl+C, and waits for what it ends with. Unix only.</summary>
    public async Task<int> SignalAsync(string name)
    {
        using var signal = Process.Start("kill", [$"-{name}", _process.Id.ToString()]);
        await signal.WaitForExitAsync();
        return await ExitAsync();
    }

    /// <summary>What it ends with.</summary>
    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        await _reading;
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        await _reading;
        _process.Dispose();
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            _output.Enqueue(line);
        }
    }
}
