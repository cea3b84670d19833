using FedServerless.Compression;
using FedServerless.Model;
using FedServerless.Wire.Downloads;

namespace FedServerless.Capacity;

/// <summary>How many bytes a model costs on its way to one device.</summary>
public static class DownloadSize
{
    /// <summary>
    /// Bytes of the shortest whole file among those that are served: what a device gets that holds nothing and reads them all. For deltas
    /// an upper bound, since they are taken only where they are fewer; a device that took part in the round before downloads one delta, half of
    /// <c>float16</c>, a quarter of <c>float32</c>.
    /// </summary>
    /// <param name="layout">Names, shapes and roles.</param>
    /// <param name="encodings">Some of <see cref="DownloadEncodings"/>, one other than <c>delta</c> among them.</param>
    /// <exception cref="ArgumentException">There is no whole file among them, or one of them is no encoding.</exception>
    public static long Of(TensorLayout layout, IEnumerable<string> encodings)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(encodings);
        var whole = encodings.Where(encoding => encoding != DownloadEncodings.Delta).Select(encoding => OfWhole(layout, encoding)).ToArray();
        return whole.Length > 0 ? whole.Min() : throw new ArgumentException("Deltas alone give a model to nobody who holds none.", nameof(encodings));
    }

    private static long OfWhole(TensorLayout layout, string encoding) => encoding switch
    {
        DownloadEncodings.Float32 => CanonicalModelFile.Create(layout).Length,
        DownloadEncodings.Float16 or DownloadEncodings.Int8 => new EncodedModelShape(layout, UpdateCodecs.All.Get(encoding)).Length,
        _ => throw new ArgumentException($"'{encoding}' is no encoding; expected one of {string.Join(", ", DownloadEncodings.Names)}.", nameof(encoding)),
    };
}
