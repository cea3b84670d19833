using System.Text.Json.Serialization;

namespace FedServerless.Wire;

/// <summary>
/// A device asks where to put an update, by content: <c>POST runs/{run}/rounds/{round}/uploads</c>. Asking again names only what
/// is not there yet, so this is also how an upload resumes.
/// </summary>
/// <param name="HeaderDigest">SHA-256 of the update header's bytes.</param>
/// <param name="HeaderBytes">Length of the header.</param>
/// <param name="Parts">The payload's parts in order.</param>
public sealed record UploadRequest(Digest HeaderDigest, int HeaderBytes, IReadOnlyList<UploadPart> Parts)
{
    /// <summary>
    /// The part size by which the payload was cut, from the plan's smallest to its largest; null for the largest. The receipt names the same.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? PartBytes { get; init; }
}

/// <summary>One part of an update's payload.</summary>
/// <param name="Bytes">Length: at most the plan's part size; whole blocks, so parts may differ in length.</param>
/// <param name="ContentMd5">MD5 of the bytes, base64: a transport check the store makes, so that no damaged part is ever created.</param>
public sealed record UploadPart(int Bytes, string ContentMd5);

/// <summary>Where to put what is missing.</summary>
/// <param name="Missing">Requests to send, header first; empty when all is there.</param>
public sealed record UploadResponse(IReadOnlyList<PartUpload> Missing);

/// <summary>A pre-signed, create-only request for one object.</summary>
/// <param name="Part">Index of the part, or −1 for the header.</param>
/// <param name="Method">PUT.</param>
/// <param name="Url">Absolute, or relative to the server's origin.</param>
/// <param name="Headers">Headers to add. A 409 or 412 answer means that the object is already there: success.</param>
public sealed record PartUpload(int Part, string Method, string Url, IReadOnlyDictionary<string, string> Headers);
