using FedServerless.Gateway.Limits;

namespace FedServerless.Gateway.Audit;

/// <summary>
/// Keeps refusals from filling the store: an address gets at most one record a minute, which counts what came since its last, and
/// a host writes at most <see cref="MaxPerMinute"/> a minute for all of them. Memory is bounded by a table of fixed size.
/// </summary>
internal sealed class RefusalTally(TimeProvider time)
{
    /// <summary>Most records of refusals that a host writes in a minute.</summary>
    public const int MaxPerMinute = 30;

    private const int Places = 1024;

    private readonly Lock _gate = new();

    private readonly Entry[] _entries = new Entry[Places];

    private long _minute;

    private int _written;

    private int _others;

    /// <summary>Counts a refusal; true, with how many to write down, when a record is due.</summary>
    public bool IsDue(SenderAddress sender, out int count, out int others)
    {
        lock (_gate)
        {
            var minute = time.GetUtcNow().UtcTicks / TimeSpan.TicksPerMinute;
            if (minute != _minute)
            {
                (_minute, _written) = (minute, 0);
            }

            ref var entry = ref _entries[(int)((uint)sender.Key.GetHashCode() % Places)];
            if (entry.Key != sender.Key)
            {
                // Two addresses in one place: whom it belonged to is counted with the others.
                _others += entry.Unwritten;
                entry = new Entry { Key = sender.Key };
            }

            entry.Unwritten++;
            (count, others) = (entry.Unwritten, _others);
            if (entry.Minute == minute || _written == MaxPerMinute)
            {
                return false;
            }

            _written++;
            _others = 0;
            entry.Minute = minute;
            entry.Unwritten = 0;
            return true;
        }
    }

    private struct Entry
    {
        public UInt128 Key;
        public long Minute;
        public int Unwritten;
    }
}
