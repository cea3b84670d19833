namespace FedServerless.Local.Engine;

/// <summary>Everything the engine does later, on one timer. Used by the loop only; <c>onTick</c> comes from the clock's thread.</summary>
internal sealed class TimerQueue : IDisposable
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan ClockMoved = TimeSpan.FromMilliseconds(10);

    private readonly TimeProvider _time;
    private readonly TimeSpan _longest;
    private readonly ITimer _timer;
    private readonly SortedSet<Entry> _entries = [];
    private long _order;
    private bool _isArmed;

    public TimerQueue(TimeProvider time, TimeSpan longest, Action onTick)
    {
        (_time, _longest) = (time, longest);
        _timer = time.CreateTimer(_ => onTick(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public DateTimeOffset? NextDue => _entries.Min?.Due;

    public Entry Add(DateTimeOffset due, Action fire)
    {
        var entry = new Entry(due, _order++, fire);
        _entries.Add(entry);
        return entry;
    }

    public void Cancel(Entry? entry)
    {
        if (entry is not null)
        {
            _entries.Remove(entry);
        }
    }

    /// <summary>Fires all that is due, in order of due time.</summary>
    public void FireDue()
    {
        while (_entries.Min is { } next && next.Due <= _time.GetUtcNow())
        {
            _entries.Remove(next);
            next.Fire();
        }
    }

    /// <summary>Sets the timer for the next entry.</summary>
    /// <returns>False when one became due meanwhile.</returns>
    public bool Arm()
    {
        if (_entries.Min is not { } next)
        {
            if (_isArmed)
            {
                _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                _isArmed = false;
            }

            return true;
        }

        _isArmed = true;
        while (true)
        {
            var now = _time.GetUtcNow();
            if (next.Due <= now)
            {
                return false;
            }

            var sleep = next.Due - now;
            _timer.Change(sleep > _longest ? _longest : sleep < Shortest ? Shortest : sleep, Timeout.InfiniteTimeSpan);

            // A clock moved by hand between the two looks would leave the timer late by as much.
            if (_time.GetUtcNow() - now < ClockMoved)
            {
                return true;
            }
        }
    }

    public void Dispose() => _timer.Dispose();

    /// <summary>Something to do at a time.</summary>
    public sealed class Entry(DateTimeOffset due, long order, Action fire) : IComparable<Entry>
    {
        public DateTimeOffset Due => due;

        public Action Fire => fire;

        private long Order => order;

        public int CompareTo(Entry? other)
        {
            ArgumentNullException.ThrowIfNull(other);
            var byDue = due.CompareTo(other.Due);
            return byDue != 0 ? byDue : order.CompareTo(other.Order);
        }
    }
}
