using System.Text.Json.Serialization;
using FedServerless.Wire;

namespace FedServerless.Activities.State;

/// <summary>What devices may download of a version, and so what a round that starts from it may be trained from; create-once.</summary>
/// <param name="Whole">Whole models, in order of preference; each names what a device has then.</param>
/// <param name="Deltas">Steps from one reconstructed version to the next, oldest first; the last one leads to <see cref="Chain"/>.</param>
/// <param name="Chain">The reconstructed version, one of those in <see cref="Whole"/>, that the next version's delta builds on; null for none.</param>
public sealed record DownloadsDocument(
    IReadOnlyList<WholeDownload> Whole, IReadOnlyList<DeltaDownload> Deltas,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Digest? Chain = null)
{
    /// <summary>Every file that devices may fetch, each once.</summary>
    [JsonIgnore]
    public IEnumerable<StoredArtifact> Files => Whole.Select(whole => whole.Artifact).Concat(Deltas.Select(delta => delta.Artifact)).Distinct();

    /// <summary>True when updates may be against the model of this digest.</summary>
    public bool Has(Digest result) => Whole.Any(whole => whole.Result == result);
}

/// <summary>A whole model as a download.</summary>
/// <param name="Encoding">One of <see cref="Wire.Downloads.DownloadEncodings"/>.</param>
/// <param name="Artifact">The file.</param>
/// <param name="Result">SHA-256 of the model file that a device makes of it; the artifact's own where that is it.</param>
/// <param name="ResultBytes">Its length.</param>
public sealed record WholeDownload(string Encoding, StoredArtifact Artifact, Digest Result, long ResultBytes);

/// <summary>A step from one reconstructed version to the next.</summary>
/// <param name="Artifact">The file.</param>
/// <param name="Start">SHA-256 of the model file it builds on.</param>
/// <param name="Result">SHA-256 of the model file it makes.</param>
public sealed record DeltaDownload(StoredArtifact Artifact, Digest Start, Digest Result);
