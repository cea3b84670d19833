namespace FedServerless.Testing;

/// <summary>Counts what code allocates.</summary>
public static class Allocations
{
    /// <summary>
    /// Bytes that the action allocates on this thread: the least of some passes, for what the runtime allocates once, such as when it compiles a
    /// method anew, falls in one of them.
    /// </summary>
    public static long Least(Action action, int passes = 3)
    {
        ArgumentNullException.ThrowIfNull(action);
        var least = long.MaxValue;
        for (var pass = 0; pass < passes; pass++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            action();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
