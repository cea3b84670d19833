namespace FedServerless.Storage.Presigned;

/// <summary>An HTTP request for an object, as far as <see cref="PresignedTransfers"/> looks at it.</summary>
public sealed record TransferRequest
{
    /// <summary>GET, HEAD or PUT.</summary>
    public required string Method { get; init; }

    /// <summary>The path, beginning with <see cref="PresignedUrlSigner.BasePath"/>.</summary>
    public required string Path { get; init; }

    /// <summary>The query with its question mark, exactly as it came.</summary>
    public required string Query { get; init; }

    /// <summary>The <c>Range</c> header, if any.</summary>
    public string? Range { get; init; }

    /// <summary>The <c>Content-Length</c> header, if any.</summary>
    public long? ContentLength { get; init; }

    /// <summary>The <c>Content-MD5</c> header, if any.</summary>
    public string? ContentMd5 { get; init; }

    /// <summary>The body; read only by PUT.</summary>
    public Stream Body { get; init; } = Stream.Null;
}
