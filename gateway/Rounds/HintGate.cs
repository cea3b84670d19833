namespace FedServerless.Gateway.Rounds;

/// <summary>
/// Lets one hint to a workflow through in a while, however many clients give cause for one: each is a line of its history, and a client
/// that repeats its commit must not make that grow.
/// </summary>
internal sealed class HintGate
{
    /// <summary>Shortest time between two hints of a host to one workflow.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();

    private long? _at;

    /// <summary>True when none passed lately.</summary>
    public bool Passes(TimeProvider time)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            if (_at is { } at && time.GetElapsedTime(at, now) < Pause)
            {
                return false;
            }

            _at = now;
            return true;
        }
    }
}
