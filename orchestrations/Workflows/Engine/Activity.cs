namespace FedServerless.Workflows.Engine;

/// <summary>The name, types and retry policy of an activity. The code behind it is an <see cref="IActivity{TInput,TOutput}"/>.</summary>
/// <param name="Name">Stable for ever: journals hold it.</param>
/// <param name="Retry">What happens when an attempt throws.</param>
public sealed record Activity<TInput, TOutput>(string Name, RetrySpec Retry);

/// <summary>The code of an activity: does I/O, may run twice, in sequence or at once, and must not mind.</summary>
public interface IActivity<TInput, TOutput>
{
    /// <summary>Runs once. A return value is a decision; an exception means "again".</summary>
    Task<TOutput> RunAsync(TInput input, CancellationToken cancellationToken);
}

/// <summary>Retry as data, so that any engine can carry it.</summary>
/// <param name="Attempts">All attempts, the first included; at least 1.</param>
/// <param name="FirstDelay">Pause before the second attempt.</param>
/// <param name="Backoff">Factor from each pause to the next; at least 1.</param>
/// <param name="MaxDelay">Longest pause.</param>
public sealed record RetrySpec(int Attempts, TimeSpan FirstDelay, double Backoff, TimeSpan MaxDelay)
{
    /// <summary>Storage trouble, a full disk included: 250 attempts from 0.1 s, doubling up to 30 s, about two hours in all.</summary>
    public static RetrySpec Storage { get; } = new(250, TimeSpan.FromSeconds(0.1), 2, TimeSpan.FromSeconds(30));

    /// <summary>The pause before attempt <paramref name="attempt"/> (2 is the first retry).</summary>
    public TimeSpan DelayBefore(int attempt)
    {
        var seconds = FirstDelay.TotalSeconds * Math.Pow(Backoff, attempt - 2);
        return TimeSpan.FromSeconds(Math.Min(seconds, MaxDelay.TotalSeconds));
    }
}
