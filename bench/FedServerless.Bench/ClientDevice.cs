using System.Diagnostics;

namespace FedServerless.Bench;

/// <summary>A published client as a process with a state folder of its own, to start and stop.</summary>
internal sealed class ClientDevice : IDisposable
{
    /// <summary>Features of its one sample.</summary>
    public const int Features = 64;

    private readonly PublishedClient _published;
    private readonly string _code;
    private readonly string _folder = Directory.CreateTempSubdirectory("fed-bench-device-").FullName;
    private Process? _process;

    public ClientDevice(PublishedClient published, string code)
    {
        (_published, _code) = (published, code);
        File.WriteAllText(SampleFile, string.Join(',', Enumerable.Repeat(1, Features + 1)) + "\n");
    }

    /// <summary>What the running process has used so far.</summary>
    public HostUsage Usage => HostUsage.Of(Running.Id);

    private Process Running => _process ?? throw new InvalidOperationException("The client is not running.");

    private string SampleFile => Path.Combine(_folder, "sample.csv");

    public void Start()
    {
        var start = new ProcessStartInfo(_published.Program, [_code, SampleFile]) { WorkingDirectory = _folder, RedirectStandardOutput = true, RedirectStandardError = true };
        _process = new Process { StartInfo = start };
        _process.Start();
        _process.OutputDataReceived += static (_, _) => { };
        _process.ErrorDataReceived += static (_, line) => Console.Error.Write(line.Data is null ? "" : line.Data + Environment.NewLine);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Ends it as a power cut would: what the next start costs does not depend on a goodbye.</summary>
    public void Stop()
    {
        Running.Kill();
        Running.WaitForExit();
        Running.Dispose();
        _process = null;
    }

    public void Dispose()
    {
        if (_process is not null)
        {
            Stop();
        }

        Directory.Delete(_folder, recursive: true);
    }
}
