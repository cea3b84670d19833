using FedServerless.Activities.State;
using FedServerless.Wire;
using FedServerless.Wire.Downloads;

namespace FedServerless.Gateway.Rounds;

/// <summary>
/// Which way a device comes to a round's model: the fewest bytes, by what it holds and reads. The same holdings get the same way, and a
/// model once held is the way that costs nothing, so a repeated check-in names the same model.
/// </summary>
internal static class DownloadChoice
{
    /// <summary>The way; null when the device reads nothing of what there is.</summary>
    /// <param name="downloads">What there is.</param>
    /// <param name="holds">Digests of the models the device holds.</param>
    /// <param name="reads">Encodings it reads, besides <c>float32</c>.</param>
    public static DownloadWay? Choose(DownloadsDocument downloads, IReadOnlyList<Digest> holds, IReadOnlyList<string> reads)
    {
        var held = holds.ToHashSet();
        DownloadWay? best = null;
        foreach (var whole in downloads.Whole)
        {
            if (held.Contains(whole.Result))
            {
                Consider(new DownloadWay(whole.Result, whole.ResultBytes, null, [], 0));
            }
            else if (whole.Encoding == DownloadEncodings.Float32)
            {
                Consider(new DownloadWay(whole.Result, whole.ResultBytes, whole.Artifact, [], whole.Artifact.Bytes));
            }
            else if (reads.Contains(whole.Encoding))
            {
                Consider(new DownloadWay(whole.Result, whole.ResultBytes, null, [new DownloadStep(whole.Artifact, null, whole.Result)], whole.Artifact.Bytes));
            }
        }

        if (reads.Contains(DownloadEncodings.Delta) && downloads.Whole.FirstOrDefault(whole => whole.Result == downloads.Chain) is { } head)
        {
            var bytes = 0L;
            for (var first = downloads.Deltas.Count - 1; first >= 0; first--)
            {
                bytes += downloads.Deltas[first].Artifact.Bytes;
                if (held.Contains(downloads.Deltas[first].Start))
                {
                    var steps = downloads.Deltas.Skip(first).Select(delta => new DownloadStep(delta.Artifact, delta.Start, delta.Result));
                    Consider(new DownloadWay(head.Result, head.ResultBytes, null, [.. steps], bytes));
                }
            }
        }

        return best;

        void Consider(DownloadWay way)
        {
            // Of equals the first: the document lists them in order of preference.
            if (best is null || way.Bytes < best.Bytes)
            {
                best = way;
            }
        }
    }
}

/// <summary>A way to a model.</summary>
/// <param name="Result">SHA-256 of the model.</param>
/// <param name="ResultBytes">Its length.</param>
/// <param name="Whole">The model itself, downloaded as it is; null where <paramref name="Steps"/> make it.</param>
/// <param name="Steps">Encoded files in order; empty when the device holds the model.</param>
/// <param name="Bytes">Bytes to download.</param>
internal sealed record DownloadWay(Digest Result, long ResultBytes, StoredArtifact? Whole, IReadOnlyList<DownloadStep> Steps, long Bytes);

/// <summary>One encoded file.</summary>
/// <param name="Artifact">The file.</param>
/// <param name="Start">SHA-256 of the model it builds on; null for none.</param>
/// <param name="Result">SHA-256 of the model it makes.</param>
internal sealed record DownloadStep(StoredArtifact Artifact, Digest? Start, Digest Result);
