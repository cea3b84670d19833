using FedServerless.Client.Telemetry;

namespace FedServerless.Client.Http;

/// <summary>
/// Sends again what failed in a way that may pass: exponential backoff with full jitter, the server's Retry-After where it gave
/// one, and never past a deadline. The first attempt is always made.
/// </summary>
internal sealed class RetryPolicy(FedClientOptions options, ClientEvents events)
{
    /// <summary>Longest Retry-After that is obeyed.</summary>
    public static readonly TimeSpan MaxRetryAfter = TimeSpan.FromHours(24);

    /// <summary>Part of a pause the server asked for that is added at random, so that devices do not return together.</summary>
    public const double RetryAfterJitter = 0.25;

    private readonly Func<double> _jitter = options.Jitter ?? Random.Shared.NextDouble;
    private readonly Func<TimeSpan, CancellationToken, Task> _delay =
        options.Delay ?? ((pause, cancellationToken) => Task.Delay(pause, options.TimeProvider, cancellationToken));

    /// <summary>Waits.</summary>
    public Task DelayAsync(TimeSpan pause, CancellationToken cancellationToken) =>
        pause > TimeSpan.Zero ? _delay(pause, cancellationToken) : Task.CompletedTask;

    /// <summary>A random pause before attempt <paramref name="attempt"/> + 1: uniform between 0 and min(MaxBackoff, FirstBackoff · 2^(attempt−1)).</summary>
    public TimeSpan Backoff(int attempt)
    {
        var bound = Math.Min(options.MaxBackoff.TotalMilliseconds, options.FirstBackoff.TotalMilliseconds * Math.Pow(2, Math.Min(attempt - 1, 40)));
        return TimeSpan.FromMilliseconds(bound * _jitter());
    }

    /// <summary>A pause the server asked for: never shorter, at most <see cref="RetryAfterJitter"/> longer.</summary>
    public TimeSpan Paced(TimeSpan asked) =>
        (asked < MaxRetryAfter ? asked : MaxRetryAfter) * (1 + (RetryAfterJitter * _jitter()));

    /// <summary>Runs <paramref name="attempt"/> until it succeeds, fails for good, or trying again makes no sense.</summary>
    /// <exception cref="FedClientException">All attempts failed in a way that may pass later.</exception>
    public async Task<T> RunAsync<T>(
        string operation, Deadline deadline, Func<CancellationToken, Task<T>> attempt, CancellationToken cancellationToken)
    {
        for (var count = 1; ; count++)
        {
            TransientException failure;
            try
            {
                return await attempt(cancellationToken).ConfigureAwait(false);
            }
            catch (TransientException problem)
            {
                failure = problem;
            }

            cancellationToken.ThrowIfCancellationRequested();
            var pause = failure.RetryAfter is { } asked ? Paced(asked) : Backoff(count);
            if (count >= options.MaxAttempts || pause >= deadline.Remaining)
            {
                throw new FedClientException($"{operation} failed {count} time(s): {failure.Message.TrimEnd('.')}.", failure) { IsTransient = true };
            }

            events.Retry(operation, count, pause, failure.Message);
            await DelayAsync(pause, cancellationToken).ConfigureAwait(false);
        }
    }
}
