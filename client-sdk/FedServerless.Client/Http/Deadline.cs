namespace FedServerless.Client.Http;

/// <summary>When trying again stops making sense; counted on the monotonic clock, so that setting the wall clock changes nothing.</summary>
/// <param name="Time">The clock.</param>
/// <param name="Start">Its timestamp when <paramref name="Length"/> began.</param>
/// <param name="Length">How long.</param>
internal readonly record struct Deadline(TimeProvider Time, long Start, TimeSpan Length)
{
    /// <summary>Longest that a server may set, whatever it says: the longest round.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(30);

    public TimeSpan Remaining => Length - Time.GetElapsedTime(Start);

    public static Deadline Never(TimeProvider time) => new(time, time.GetTimestamp(), TimeSpan.MaxValue);

    /// <summary>From a lease's remaining seconds; zero or less is over already.</summary>
    public static Deadline In(TimeProvider time, double seconds) =>
        new(time, time.GetTimestamp(), TimeSpan.FromSeconds(Math.Clamp(seconds, 0, Longest.TotalSeconds)));
}
