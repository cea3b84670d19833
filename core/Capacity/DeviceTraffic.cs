namespace FedServerless.Capacity;

/// <summary>What devices do straight with the store, past the servers: through pre-signed URLs, so that no host sees it.</summary>
public static class DeviceTraffic
{
    /// <summary>One device's round: it fetches the model, as a rule in one request, and creates a header and the parts of its update.</summary>
    /// <param name="size">The round.</param>
    /// <param name="downBytes">Bytes that it receives of the base model, see <see cref="DownloadSize"/>, and of what goes down with it.</param>
    /// <param name="downloads">Objects that it fetches. Default 1.</param>
    public static ResourceUsage OfOne(RoundSize size, long downBytes, int downloads = 1)
    {
        ArgumentNullException.ThrowIfNull(size);
        return new ResourceUsage(
            Writes: size.Parts + 1, Reads: downloads, BytesWritten: size.UpdateBytes, BytesRead: downBytes, EgressBytes: downBytes);
    }
}
