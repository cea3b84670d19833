namespace FedServerless.Storage.Files;

/// <summary>
/// Stamps writes with strictly increasing times in steps of 100 ns. The stamp is the file's modification time and, with the
/// length, its ETag. A digest of the content would not do: a pointer moved away and back would look untouched.
/// </summary>
internal sealed class WriteClock(TimeProvider time)
{
    private long _last;

    /// <summary>A stamp later than every one before it and than <paramref name="after"/>, whatever the wall clock does.</summary>
    internal DateTime Next(long after = 0)
    {
        while (true)
        {
            var last = Volatile.Read(ref _last);
            var next = Math.Max(time.GetUtcNow().UtcTicks, Math.Max(last, after) + 1);
            if (Interlocked.CompareExchange(ref _last, next, last) == last)
            {
                return new DateTime(next, DateTimeKind.Utc);
            }
        }
    }
}
