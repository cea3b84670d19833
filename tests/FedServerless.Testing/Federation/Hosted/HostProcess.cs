using System.Diagnostics;
using System.Globalization;

namespace FedServerless.Testing.Federation.Hosted;

/// <summary>The local host's own program as a child process: it can be killed as processes are killed, and its memory be read.</summary>
public sealed class HostProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task _errors;
    private readonly List<string> _log = [];

    private HostProcess(Process process)
    {
        _process = process;
        _errors = ReadErrorsAsync();
    }

    /// <summary>The program, built beside the tests.</summary>
    public static string ProgramPath { get; } = Path.Combine(AppContext.BaseDirectory, "FedServerless.Local.dll");

    /// <summary>Where it listens.</summary>
    public Uri Url { get; private set; } = null!;

    /// <summary>The operator's key.</summary>
    public string OperatorKey { get; private set; } = null!;

    public int Id => _process.Id;

    /// <summary>What it wrote to standard error.</summary>
    public IReadOnlyList<string> Log
    {
        get
        {
            lock (_log)
            {
                return [.. _log];
            }
        }
    }

    /// <summary>Starts it and waits until it serves.</summary>
    /// <exception cref="InvalidOperationException">It ended instead; the message has what it said.</exception>
    public static async Task<HostProcess> StartAsync(string dataFolder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [ProgramPath, "--data", dataFolder, "--port", "0", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var host = new HostProcess(Process.Start(start)!);
        var line = await host._process.StandardOutput.ReadLineAsync();
        if (line is null)
        {
            await host._process.WaitForExitAsync();
            await host._errors;
            throw new InvalidOperationException($"The host ended with {host._process.ExitCode}: {string.Join('\n', host.Log)}");
        }

        host.Url = new Uri((await File.ReadAllTextAsync(Path.Combine(dataFolder, "host.url"))).Trim());
        host.OperatorKey = (await File.ReadAllTextAsync(Path.Combine(dataFolder, "operator.key"))).Trim();
        return host;
    }

    /// <summary>SIGKILL: no handler runs, nothing is flushed.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
    }

    /// <summary>A figure of the kernel about its memory, in bytes: <c>VmHWM</c> is the most it ever held, <c>VmRSS</c> what it holds. Linux only.</summary>
    public long Memory(string figure)
    {
        var line = File.ReadLines($"/proc/{Id}/status").First(line => line.StartsWith(figure + ":", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    /// <summary>Makes the present the most it ever held. Linux only.</summary>
    public void ForgetPeak() => File.WriteAllText($"/proc/{Id}/clear_refs", "5");

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        await _errors;
        _process.Dispose();
    }

    private async Task ReadErrorsAsync()
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            lock (_log)
            {
                _log.Add(line);
            }
        }
    }
}
