using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace FedServerless.Storage.Azure.Azurite;

/// <summary>
/// Azurite's blob service as a child process on a loopback port. It shuts down cleanly, with its data on disk, when
/// <see cref="StopAsync"/> asks it to and also when this process dies of anything: it watches its standard input end.
/// (Killed outright, it may lose the last five seconds of what it acknowledged.)
/// </summary>
public sealed partial class AzuriteProcess : IAsyncDisposable
{
    /// <summary>The account that every Azurite has.</summary>
    public const string AccountName = "devstoreaccount1";

    /// <summary>Its key: documented by Microsoft for the emulator, no secret.</summary>
    public const string AccountKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    // The handlers are in place once it listens; before that there is nothing to lose.
    private const string Launcher =
        "process.stdin.on('end', () => { if (!process.emit('SIGTERM')) process.exit(0); }).resume(); require(process.argv[1]);";

    private const int KeptLines = 50;
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(20);

    private readonly AzuriteOptions _options;
    private readonly string _script;
    private Process? _process;
    private int _port;

    private AzuriteProcess(AzuriteOptions options, string script)
    {
        _options = options;
        _script = script;
        _port = options.BlobPort;
    }

    /// <summary>The port it listens on.</summary>
    public int BlobPort => _port;

    /// <summary>The endpoint of <see cref="AccountName"/>.</summary>
    public Uri ServiceUri => new($"{(_options.CertificateFile is null ? "http" : "https")}://127.0.0.1:{_port}/{AccountName}");

    /// <summary>What a client of Azure Storage connects with.</summary>
    public string ConnectionString =>
        $"DefaultEndpointsProtocol={ServiceUri.Scheme};AccountName={AccountName};AccountKey={AccountKey};BlobEndpoint={ServiceUri};";

    /// <summary>Installs Azurite if need be, starts it and waits until it listens.</summary>
    /// <exception cref="AzuriteUnavailableException">Node.js or npm is not installed.</exception>
    /// <exception cref="InvalidOperationException">It did not start; the message has its output.</exception>
    public static async Task<AzuriteProcess> StartAsync(AzuriteOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        var azurite = new AzuriteProcess(options, await AzuriteInstallation.EnsureAsync(options.Installation, cancellationToken));
        await azurite.LaunchAsync(cancellationToken);
        return azurite;
    }

    /// <summary>Stops it and waits until its data is on disk. Stopping twice is no error.</summary>
    public async Task StopAsync()
    {
        if (_process is not { } process)
        {
            return;
        }

        _process = null;
        using (process)
        {
            using var patience = new CancellationTokenSource(StopTimeout);
            try
            {
                process.StandardInput.Close();
                await process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw new InvalidOperationException($"Azurite did not stop within {StopTimeout.TotalSeconds} s and was killed; its last writes may be lost.");
            }
            catch (IOException) when (process.HasExited)
            {
            }
        }
    }

    /// <summary>Stops it, if it runs, and starts it on the same port and data.</summary>
    public async Task RestartAsync(CancellationToken cancellationToken)
    {
        await StopAsync();
        await LaunchAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync();

    private async Task LaunchAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_options.DataFolder);
        var process = Spawn();
        var listening = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var output = new ConcurrentQueue<string>();
        void Hear(object _, DataReceivedEventArgs line)
        {
            if (line.Data is null)
            {
                return;
            }

            output.Enqueue(line.Data);
            if (output.Count > KeptLines)
            {
                output.TryDequeue(out var _);
            }

            if (ListensOn().Match(line.Data) is { Success: true } match)
            {
                listening.TrySetResult(int.Parse(match.Groups["port"].Value));
            }
        }

        process.OutputDataReceived += Hear;
        process.ErrorDataReceived += Hear;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _process = process;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(StartTimeout);
        var exited = process.WaitForExitAsync(patience.Token);
        if (await Task.WhenAny(listening.Task, exited) != listening.Task)
        {
            await AbandonAsync(process);
            cancellationToken.ThrowIfCancellationRequested();
            throw new AzuriteStartException($"Azurite did not start within {StartTimeout.TotalSeconds:0} s, or ended. Its output:\n{string.Join('\n', output)}");
        }

        _port = await listening.Task;
        await patience.CancelAsync();
    }

    private Process Spawn()
    {
        List<string> arguments =
        [
            "-e", Launcher, _script, "--blobHost", "127.0.0.1", "--blobPort", $"{_port}", "--location", Path.GetFullPath(_options.DataFolder),
            "--silent", "--disableTelemetry", "--skipApiVersionCheck",
        ];
        if (_options.CertificateFile is { } certificate)
        {
            arguments.AddRange(["--oauth", "basic", "--cert", certificate, "--key", _options.CertificateKeyFile!]);
        }

        try
        {
            return Process.Start(new ProcessStartInfo("node", arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        }
        catch (Win32Exception e)
        {
            throw new AzuriteUnavailableException("Azurite needs Node.js 20 or later on the PATH; node was not found.", e);
        }
    }

    private async Task AbandonAsync(Process process)
    {
        _process = null;
        using (process)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    [GeneratedRegex(@"successfully listens on \w+://[^/]*:(?<port>\d+)")]
    private static partial Regex ListensOn();
}
