using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;

namespace FedServerless.Storage.Presigned;

/// <summary>
/// Serves pre-signed URLs over any store, free of any web framework: a host maps <c>GET|HEAD|PUT /blobs/{**name}</c> to
/// <see cref="HandleAsync"/> and copies the reply.
/// </summary>
/// <remarks>
/// PUT: 201 created; 409 the object exists; 400 another length or MD5 than stated; 411 no <c>Content-Length</c>; 507 no room.
/// GET and HEAD: 200, 206 for a range, 416 for a range beyond the end, 404 no such object, 409 it changed meanwhile. Any: 403 not a valid URL of ours,
/// 405 valid for another method. Nothing is created unless the answer is 201.
/// </remarks>
public sealed class PresignedTransfers(IObjectStore store, PresignedUrlSigner signer)
{
    /// <summary>Checks the URL and does what it allows.</summary>
    public async Task<TransferReply> HandleAsync(TransferRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (!signer.TryVerify(request.Method, request.Path, request.Query, out var grant, out var refusal))
        {
            return refusal == PresignedRefusal.OtherMethod
                ? Refuse(405, $"This URL is not valid for {request.Method}.")
                : Refuse(403, Explain(refusal));
        }

        return grant!.Method == "PUT"
            ? await CreateAsync(grant, request, cancellationToken)
            : await GetAsync(grant, request, cancellationToken);
    }

    private async Task<TransferReply> CreateAsync(PresignedGrant grant, TransferRequest request, CancellationToken cancellationToken)
    {
        var length = grant.Length!.Value;
        if (request.ContentLength is null)
        {
            return Refuse(411, $"Content-Length is missing; it must be {length}.");
        }

        if (request.ContentLength != length)
        {
            return Refuse(400, $"Content-Length is {request.ContentLength}; this URL takes exactly {length} bytes.");
        }

        var md5 = new byte[MD5.HashSizeInBytes];
        if (request.ContentMd5 is { } header && !TryDecodeMd5(header, md5))
        {
            return Refuse(400, "Content-MD5 is not the base64 of 16 bytes.");
        }

        await using var content = request.ContentMd5 is null ? null : new Md5CheckingStream(request.Body, md5);
        try
        {
            var put = await store.PutAsync(grant.Name, content ?? request.Body, length, PutCondition.CreateOnce, cancellationToken);
            return put.Written
                ? new TransferReply(201, new Dictionary<string, string> { ["ETag"] = put.ETag! }, null)
                : Refuse(409, "The object exists.");
        }
        catch (ContentMismatchException e)
        {
            return Refuse(400, e.Message);
        }
        catch (StoreFullException)
        {
            return Refuse(507, "The store has no room left; try again later.");
        }
    }

    private async Task<TransferReply> GetAsync(PresignedGrant grant, TransferRequest request, CancellationToken cancellationToken)
    {
        if (await store.HeadAsync(grant.Name, cancellationToken) is not { } facts)
        {
            return Refuse(404, "There is no such object.");
        }

        var range = ByteRange.Resolve(request.Range, facts.Length, out var satisfiable);
        if (!satisfiable)
        {
            return Refuse(416, $"The object has {facts.Length} bytes.", ("Content-Range", $"bytes */{facts.Length}"));
        }

        var (offset, count) = range is { } r ? (r.Offset, r.Count) : (0, facts.Length);
        var headers = new Dictionary<string, string>
        {
            ["Accept-Ranges"] = "bytes",
            ["Content-Length"] = count.ToString(CultureInfo.InvariantCulture),
            ["Content-Type"] = "application/octet-stream",
            ["ETag"] = facts.ETag,
        };
        if (range is not null)
        {
            headers["Content-Range"] = $"bytes {offset}-{offset + count - 1}/{facts.Length}";
        }

        var status = range is null ? 200 : 206;
        if (request.Method == "HEAD")
        {
            return new TransferReply(status, headers, null);
        }

        var content = await store.OpenAsync(grant.Name, offset, cancellationToken);
        if (content is null || content.Facts.ETag != facts.ETag)
        {
            // Deleted or overwritten between the look and the opening: the headers above are about another version.
            await (content?.DisposeAsync() ?? ValueTask.CompletedTask);
            return Refuse(409, "The object changed while it was opened; ask again.");
        }

        return new TransferReply(status, headers, null) { Content = content, BodyLength = count };
    }

    private static bool TryDecodeMd5(string header, Span<byte> md5) =>
        Base64.IsValid(header) && Convert.TryFromBase64String(header, md5, out var written) && written == md5.Length;

    private static string Explain(PresignedRefusal refusal) => refusal switch
    {
        PresignedRefusal.Expired => "This URL has expired; ask the API for a fresh one.",
        PresignedRefusal.BadSignature => "The signature of this URL is not valid.",
        _ => "This is not a pre-signed URL.",
    };

    private static TransferReply Refuse(int status, string detail, params (string Name, string Value)[] headers) =>
        new(status, headers.ToDictionary(h => h.Name, h => h.Value), detail);
}
