using FedServerless.Storage;

namespace FedServerless.Activities.State;

internal static class WholeReads
{
    /// <summary>
    /// Reads an object that should be exactly as long as the buffer, in one request; its true length, or null when there is none. Unless
    /// the length is right the buffer holds nothing of use.
    /// </summary>
    public static async Task<long?> ReadWholeAsync(this IObjectStore store, string name, Memory<byte> destination, CancellationToken cancellationToken)
    {
        try
        {
            return (await store.ReadAsync(name, 0, destination, cancellationToken))?.Length;
        }
        catch (ObjectRangeException)
        {
            return (await store.HeadAsync(name, cancellationToken))?.Length;
        }
    }
}
