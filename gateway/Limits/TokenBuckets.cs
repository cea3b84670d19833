namespace FedServerless.Gateway.Limits;

/// <summary>
/// Token buckets by key in a table of fixed size, eight places to a set. Where a set is full, the fullest bucket makes room: it is
/// the one whose loss forgives least, so a flood of new senders pushes out each other and not those who are out of tokens.
/// </summary>
internal sealed class TokenBuckets
{
    private const int Ways = 8;

    private readonly Slot[] _slots;

    private readonly Lock[] _locks;

    private readonly TokenRate _rate;

    private readonly TimeProvider _time;

    private readonly int _setMask;

    /// <summary>A table of <paramref name="size"/> buckets, a power of two of 64 or more.</summary>
    public TokenBuckets(TokenRate rate, int size, TimeProvider time)
    {
        (_rate, _time) = (rate, time);
        _slots = new Slot[size];
        _setMask = (size / Ways) - 1;
        _locks = new Lock[Math.Min(64, size / Ways)];
        for (var i = 0; i < _locks.Length; i++)
        {
            _locks[i] = new Lock();
        }
    }

    /// <summary>Takes a token; false, and how long until there is one, when there is none.</summary>
    public bool TryTake(UInt128 key, out TimeSpan wait)
    {
        var set = SetOf(key);
        lock (_locks[set % _locks.Length])
        {
            ref var slot = ref Find(set, key);
            if (slot.Tokens < 1)
            {
                wait = TimeSpan.FromSeconds((1 - slot.Tokens) / _rate.PerSecond);
                return false;
            }

            slot.Tokens -= 1;
            wait = TimeSpan.Zero;
            return true;
        }
    }

    /// <summary>Takes more, down to a debt of one burst; or gives back what is negative.</summary>
    public void Charge(UInt128 key, double tokens)
    {
        var set = SetOf(key);
        lock (_locks[set % _locks.Length])
        {
            ref var slot = ref Find(set, key);
            slot.Tokens = Math.Clamp(slot.Tokens - tokens, -_rate.Burst, _rate.Burst);
        }
    }

    // HashCode is seeded anew in every process: nobody outside can aim at a set.
    private int SetOf(UInt128 key) => HashCode.Combine((ulong)(key >> 64), (ulong)key) & _setMask;

    private ref Slot Find(int set, UInt128 key)
    {
        var now = _time.GetTimestamp();
        var places = _slots.AsSpan(set * Ways, Ways);
        var (victim, fullest) = (0, double.NegativeInfinity);
        for (var i = 0; i < Ways; i++)
        {
            ref var slot = ref places[i];
            var isUsed = slot.At != 0;
            if (isUsed)
            {
                slot.Tokens = Math.Min(_rate.Burst, slot.Tokens + (_time.GetElapsedTime(slot.At, now).TotalSeconds * _rate.PerSecond));
                slot.At = now;
                if (slot.Key == key)
                {
                    return ref slot;
                }
            }

            var fullness = isUsed ? slot.Tokens : double.PositiveInfinity;
            if (fullness > fullest)
            {
                (victim, fullest) = (i, fullness);
            }
        }

        // A timestamp of 0 marks a place that was never used.
        places[victim] = new Slot { Key = key, Tokens = _rate.Burst, At = Math.Max(1, now) };
        return ref places[victim];
    }

    private struct Slot
    {
        public UInt128 Key;
        public double Tokens;
        public long At;
    }
}
