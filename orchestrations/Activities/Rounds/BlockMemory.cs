using System.Buffers;

namespace FedServerless.Activities.Rounds;

/// <summary>
/// Memory for blocks of many updates at once. The shared pool keeps a few dozen arrays of a size and leaves the rest of a large
/// cohort's to the garbage collector, again and again; this one keeps what was in use at once, until the collector comes and nobody
/// uses any of it.
/// </summary>
internal static class BlockMemory
{
    private const int LongestKept = 64 << 20;

    // More than a round that compares clients has.
    private const int KeptOfASize = 8192;

    private static readonly Lock _gate = new();

    private static WeakReference<ArrayPool<byte>>? _pool;

    /// <summary>The pool. Whoever rents from it holds on to it until everything is returned.</summary>
    public static ArrayPool<byte> Pool()
    {
        lock (_gate)
        {
            if (_pool is null || !_pool.TryGetTarget(out var pool))
            {
                pool = ArrayPool<byte>.Create(LongestKept, KeptOfASize);
                _pool = new WeakReference<ArrayPool<byte>>(pool);
            }

            return pool;
        }
    }
}
