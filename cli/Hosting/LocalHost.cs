using System.Diagnostics;
using FedServerless.Cli.Processes;
using FedServerless.Cli.Server;

namespace FedServerless.Cli.Hosting;

/// <summary>A local host as a child process, up and answering. Disposing stops it cleanly.</summary>
internal sealed class LocalHost : IAsyncDisposable
{
    private const int KeptLines = 60;
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    private readonly Process _process;
    private readonly DataFolder _data;
    private readonly Queue<string> _output = new();
    private readonly bool _isShown;

    private LocalHost(Process process, DataFolder data, bool isShown)
    {
        _process = process;
        _data = data;
        _isShown = isShown;
    }

    /// <summary>Where it answers, and the operator key.</summary>
    public ServerAddress Address { get; private set; } = null!;

    /// <summary>Its process.</summary>
    public int ProcessId => _process.Id;

    /// <summary>Ends when the host does.</summary>
    public Task<int> Ended { get; private set; } = null!;

    /// <summary>Starts it and waits until it answers.</summary>
    /// <param name="shell">Where the program is found.</param>
    /// <param name="options">How to start it.</param>
    /// <param name="onLine">Gets what the host writes; null keeps it for the message of a failure.</param>
    /// <param name="cancellationToken">Gives up and stops it.</param>
    /// <exception cref="CommandException">It did not start; the message has its last output.</exception>
    public static async Task<LocalHost> StartAsync(
        Shell shell, LocalHostOptions options, Action<string>? onLine, CancellationToken cancellationToken)
    {
        var program = HostProgram.Find(shell);
        CreateFolder(options.Data.Path);
        var before = WrittenAt(options.Data.UrlFile);
        var start = ChildProcess.Dotnet([program, .. options.Arguments]);
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        var host = new LocalHost(new Process { StartInfo = start }, options.Data, isShown: onLine is not null);
        host.Launch(onLine);
        try
        {
            await host.WaitUntilUpAsync(before, cancellationToken);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Asks it to stop, and waits until it has; what does not stop in time is killed, which it survives by design.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            RequestStop();
        }

        try
        {
            await Ended.WaitAsync(StopTimeout);
        }
        catch (TimeoutException)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private void Launch(Action<string>? onLine)
    {
        _process.OutputDataReceived += (_, line) => Receive(line.Data);
        _process.ErrorDataReceived += (_, line) => Receive(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Ended = EndAsync();

        void Receive(string? line)
        {
            if (line is null)
            {
                return;
            }

            onLine?.Invoke(line);
            lock (_output)
            {
                _output.Enqueue(line);
                if (_output.Count > KeptLines)
                {
                    _output.Dequeue();
                }
            }
        }
    }

    private async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    private async Task WaitUntilUpAsync(DateTime before, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            if (Ended.IsCompleted)
            {
                throw Failed($"The local host ended with code {await Ended}.");
            }

            if (watch.Elapsed > StartTimeout)
            {
                throw Failed($"The local host did not start within {StartTimeout.TotalMinutes:0} minutes.");
            }

            // The host writes its address once it listens; an older file is that of a host before it.
            if (WrittenAt(_data.UrlFile) > before && _data.ReadUrl() is { } url && _data.ReadKey() is { } key)
            {
                Address = new ServerAddress(new Uri(url), key, _data.KeyFile);
                return;
            }

            await Task.Delay(LookEvery, cancellationToken);
        }
    }

    /// <summary>A failure with the host's last output, unless that has been shown already.</summary>
    public CommandException Failed(string what)
    {
        lock (_output)
        {
            return new CommandException(_isShown
                ? $"{what} Its output above says why."
                : string.Join(Environment.NewLine, _output.Prepend($"{what} Its last output:")));
        }
    }

    private static void CreateFolder(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"The data folder {path} cannot be made: {exception.Message} Choose another with --data.");
        }
    }

    private static DateTime WrittenAt(string path) => File.Exists(path) ? File.GetLastWriteTimeUtc(path) : DateTime.MinValue;

    // The host stops cleanly when its standard input ends: so it does, too, when this process dies of anything.
    private void RequestStop() => _process.StandardInput.Close();
}
