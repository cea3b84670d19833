using Azure.Core;
using Azure.Core.Pipeline;
using FedServerless.Gateway.About;

namespace FedServerless.Functions.Platform.Store;

/// <summary>
/// Compares the host's clock with the account's, which every answer tells. Devices are held to within two minutes of the host's clock
/// and pre-signed URLs begin fifteen minutes before it, so a clock that is off turns devices away long before anybody sees why.
/// </summary>
internal sealed class ClockGauge(TimeProvider time) : HttpPipelineSynchronousPolicy, IHealthSource
{
    /// <summary>Difference from which it is a warning. The account tells whole seconds.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(10);

    /// <summary>Longest exchange that is taken for a comparison: the account's time lies somewhere in it.</summary>
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(2);

    private const string AskedAt = "FedClockGaugeAskedAt";

    // Ticks, because it is written by many requests at once.
    private long _ahead;

    /// <summary>How far the host's clock was ahead of the account's at the last answer.</summary>
    public TimeSpan Ahead => new(Interlocked.Read(ref _ahead));

    /// <inheritdoc/>
    public override void OnSendingRequest(HttpMessage message) => message.SetProperty(AskedAt, time.GetUtcNow());

    /// <inheritdoc/>
    public override void OnReceivedResponse(HttpMessage message)
    {
        var now = time.GetUtcNow();
        if (message.HasResponse && message.Response.Headers.Date is { } there
            && message.TryGetProperty(AskedAt, out var asked) && asked is DateTimeOffset before && now - before <= Slow)
        {
            Interlocked.Exchange(ref _ahead, (now - there).Ticks);
        }
    }

    /// <inheritdoc/>
    public Task<HealthFinding?> LookAsync(CancellationToken cancellationToken)
    {
        var ahead = Ahead;
        return Task.FromResult(ahead.Duration() <= Tolerance ? null : new HealthFinding(
            $"The host's clock is {ahead.Duration().TotalSeconds:0} s {(ahead > TimeSpan.Zero ? "ahead of" : "behind")} the store's. Devices that are right are refused from 120 s on; synchronise the host's clock.",
            IsFatal: false));
    }
}
