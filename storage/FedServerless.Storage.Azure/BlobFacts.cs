using System.Globalization;
using Azure;
using Azure.Storage.Blobs.Models;

namespace FedServerless.Storage.Azure;

/// <summary>The port's facts from the SDK's several shapes.</summary>
internal static class BlobFacts
{
    internal static ObjectFacts From(string name, BlobProperties properties) =>
        new(name, properties.ContentLength, Quote(properties.ETag), properties.LastModified);

    internal static ObjectFacts From(BlobItem item) =>
        new(item.Name, item.Properties.ContentLength!.Value, Quote(item.Properties.ETag!.Value), item.Properties.LastModified!.Value);

    internal static ObjectFacts From(string name, BlobDownloadDetails details) =>
        new(name, TotalLength(details), Quote(details.ETag), details.LastModified);

    /// <summary>Headers carry the tag in quotes, listings without: one spelling for both.</summary>
    internal static string Quote(ETag etag) => $"\"{etag.ToString().Trim('"')}\"";

    // Content-Range: bytes 0-9/1000. Absent when the whole was asked for.
    private static long TotalLength(BlobDownloadDetails details) => details.ContentRange is { Length: > 0 } range
        ? long.Parse(range.AsSpan(range.LastIndexOf('/') + 1), NumberStyles.None, CultureInfo.InvariantCulture)
        : details.ContentLength;
}
