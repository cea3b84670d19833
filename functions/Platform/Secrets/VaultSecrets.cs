using System.Threading.Channels;
using FedServerless.Gateway.About;
using FedServerless.Gateway.Authentication;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FedServerless.Functions.Platform.Secrets;

/// <summary>
/// Keeps the ring in memory and reads the vault anew every hour. It fails closed: before the first reading, and once the last is older
/// than a day, there are no secrets; in between a vault that does not answer is a warning.
/// </summary>
internal sealed partial class VaultSecrets(
    VaultReader reader, VaultSecretsOptions options, TimeProvider time, ILogger<VaultSecrets> logger) : BackgroundService, IServerSecrets, IHealthSource
{
    // One hint is enough, however many come.
    private readonly Channel<bool> _hints = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private volatile Reading? _reading;

    private volatile string? _fault;

    /// <inheritdoc/>
    public SecretRing Ring
    {
        get
        {
            if (_reading is not { } reading)
            {
                throw new SecretsUnavailableException($"The server's secrets were not read yet. {_fault}".TrimEnd());
            }

            return time.GetUtcNow() - reading.At <= options.MaxAge
                ? reading.Ring
                : throw new SecretsUnavailableException($"The server's secrets were last read more than {options.MaxAge.TotalHours:0} hours ago. {_fault}".TrimEnd());
        }
    }

    /// <inheritdoc/>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        if (_first.Task.IsCompleted)
        {
            return;
        }

        try
        {
            await _first.Task.WaitAsync(options.FirstWithin, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The ring says what is wrong.
        }
    }

    /// <inheritdoc/>
    public void NoteUnknownKid() => _hints.Writer.TryWrite(true);

    /// <inheritdoc/>
    public async Task<HealthFinding?> LookAsync(CancellationToken cancellationToken)
    {
        await WaitAsync(cancellationToken);
        try
        {
            _ = Ring;
            return _fault is { } fault ? new HealthFinding($"The server's secrets could not be read again. {fault}", IsFatal: false) : null;
        }
        catch (SecretsUnavailableException unavailable)
        {
            return new HealthFinding(unavailable.Message, IsFatal: true);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var failures = 0;
        while (true)
        {
            failures = await ReadAsync(stoppingToken) ? 0 : failures + 1;
            _first.TrySetResult();
            await RestAsync(failures, stoppingToken);
        }
    }

    private async Task<bool> ReadAsync(CancellationToken stoppingToken)
    {
        using var limit = new CancellationTokenSource(options.ReadWithin, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, limit.Token);
        try
        {
            // The age counts from before the question: a vault that answers slowly makes nothing younger.
            var asked = time.GetUtcNow();
            var ring = await reader.ReadAsync(either.Token);
            if (_reading?.Ring.Current.Kid != ring.Current.Kid || _reading.Ring.Previous?.Kid != ring.Previous?.Kid)
            {
                LogRing(logger, ring.Current.Kid, ring.Previous?.Kid);
                _reading = new Reading(ring, asked);
            }
            else
            {
                _reading = _reading with { At = asked };
            }

            _fault = null;
            return true;
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            _fault = VaultFaults.Explain(exception);
            LogUnread(logger, _fault, exception);
            return false;
        }
    }

    // Until the next reading is due, or a hint comes and the last reading is old enough for one.
    private async Task RestAsync(int failures, CancellationToken stoppingToken)
    {
        var pause = Pause(failures);
        var unhinted = pause < options.HintsEvery ? pause : options.HintsEvery;
        await Task.Delay(unhinted, time, stoppingToken);
        if (pause == unhinted)
        {
            return;
        }

        using var rest = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var hint = _hints.Reader.ReadAsync(rest.Token).AsTask();
        var due = Task.Delay(pause - unhinted, time, rest.Token);
        await Task.WhenAny(hint, due);
        await rest.CancelAsync();
        stoppingToken.ThrowIfCancellationRequested();
    }

    private TimeSpan Pause(int failures)
    {
        if (failures == 0)
        {
            return options.RefreshEvery * (1 + (options.Jitter * ((2 * Random.Shared.NextDouble()) - 1)));
        }

        var doubled = options.MinRetryAfter * Math.Pow(2, Math.Min(failures - 1, 20));
        return doubled < options.MaxRetryAfter ? doubled : options.MaxRetryAfter;
    }

    [LoggerMessage(5001, LogLevel.Information, "Server secrets: version {Current} is current, {Previous} is accepted too")]
    private static partial void LogRing(ILogger logger, string current, string? previous);

    [LoggerMessage(5002, LogLevel.Error, "The server's secrets could not be read: {Reason}")]
    private static partial void LogUnread(ILogger logger, string reason, Exception exception);

    private sealed record Reading(SecretRing Ring, DateTimeOffset At);
}
