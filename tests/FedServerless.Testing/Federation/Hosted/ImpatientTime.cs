namespace FedServerless.Testing.Federation.Hosted;

/// <summary>
/// The system's clock with short pauses: a timer of up to half a minute fires after a few milliseconds. Clients that retry or pace
/// themselves by it come back at once; a limit on silence, which is longer, stays what it is.
/// </summary>
public sealed class ImpatientTime : TimeProvider
{
    /// <summary>What every pause becomes at most.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(5);

    private static readonly TimeSpan ShortensUpTo = TimeSpan.FromSeconds(40);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        System.CreateTimer(callback, state, dueTime > LongestPause && dueTime <= ShortensUpTo ? LongestPause : dueTime, period);
}
