using System.Net;
using System.Text.Json;
using FedServerless.Client.Http;
using FedServerless.Client.Telemetry;
using FedServerless.Wire;

namespace FedServerless.Client.Rounds;

/// <summary>Puts an update's header and parts where the server says, until the server misses nothing.</summary>
internal sealed class UpdateUpload(
    DeviceConnection connection, HttpClient http, ServerUrls urls, FedClientOptions options, RetryPolicy retries, ClientEvents events)
{
    /// <summary>Times in a row that asking what is missing may lead to nothing being created.</summary>
    public const int MaxFruitlessAsks = 4;

    /// <summary>Most headers a pre-signed request may need.</summary>
    public const int MaxHeaders = 32;

    private const string Md5Header = "Content-MD5";

    /// <summary>Headers that are the client's own business, whatever the server says.</summary>
    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "Authorization", "Connection", "Content-Length", "Cookie", "Expect", "Host", "Proxy-Authorization", "TE", "Trailer",
        "Transfer-Encoding", "Upgrade", Md5Header,
    };

    private enum Placed
    {
        Created,
        AlreadyThere,
        Expired,
    }

    /// <exception cref="GiveUpException">The server or the store refuses for good.</exception>
    public async Task SendAsync(Work work, StoredUpdate update, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(update.Upload, WireJson.Default.UploadRequest);
        var call = new ApiCall("uploads", HttpMethod.Post, $"{work.Route}/uploads", body);
        for (var fruitless = 0; fruitless < MaxFruitlessAsks;)
        {
            var answer = await connection.CallAsync(call, WireJson.Default.UploadResponse, work.Deadline, cancellationToken).ConfigureAwait(false);
            var missing = Check(answer.Body, update);
            var created = await PutAsync(work, update, missing, cancellationToken).ConfigureAwait(false);

            // Sure without asking again: nothing is missing, or all was and all was created just now. In between the server may
            // have named only some, or "already there" may have been a store that refuses for another reason.
            if (missing.Count == 0 || (missing.Count == update.Upload.Parts.Count + 1 && created == missing.Count))
            {
                return;
            }

            fruitless = created > 0 ? 0 : fruitless + 1;
        }

        throw new GiveUpException($"the server was asked {MaxFruitlessAsks} times where to put the rest of the update, and nothing could be put there");
    }

    private async Task<int> PutAsync(Work work, StoredUpdate update, IReadOnlyList<PartUpload> missing, CancellationToken cancellationToken)
    {
        var created = 0;
        var there = update.Receipt.Bytes - missing.Sum(upload => (long)Length(update, upload.Part));
        foreach (var upload in missing)
        {
            var placed = await retries.RunAsync(
                "upload", work.Deadline, token => AttemptAsync(update, upload, token), cancellationToken).ConfigureAwait(false);
            if (placed == Placed.Expired)
            {
                break;
            }

            created += placed == Placed.Created ? 1 : 0;
            there += Length(update, upload.Part);
            events.Report(new Uploading(work.Run, work.Round, there, update.Receipt.Bytes));
        }

        return created;
    }

    private static IReadOnlyList<PartUpload> Check(UploadResponse answer, StoredUpdate update)
    {
        var seen = new HashSet<int>();
        foreach (var upload in answer.Missing)
        {
            if (upload.Part < -1 || upload.Part >= update.Upload.Parts.Count || !seen.Add(upload.Part) || upload.Method != "PUT"
                || upload.Headers.Count > MaxHeaders)
            {
                throw new GiveUpException($"the server asks for part {upload.Part} by {upload.Method}; this update has parts −1 to {update.Upload.Parts.Count - 1}, each once, by PUT");
            }
        }

        return answer.Missing;
    }

    private static int Length(StoredUpdate update, int part) => part == -1 ? update.Upload.HeaderBytes : update.Upload.Parts[part].Bytes;

    private async Task<Placed> AttemptAsync(StoredUpdate update, PartUpload upload, CancellationToken cancellationToken)
    {
        using var part = update.Open(upload.Part);
        using var silence = new Silence(options.RequestTimeout, options.TimeProvider, cancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Put, urls.PreSigned(upload.Url));
        request.Content = new WatchedContent(part, sent =>
        {
            silence.Heard();
            events.CountUp(sent);
        });
        foreach (var (name, value) in upload.Headers)
        {
            if (!Reserved.Contains(name) && !request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        request.Content.Headers.TryAddWithoutValidation(Md5Header, part.Md5);
        using var response = await silence
            .GuardAsync(token => http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token)).ConfigureAwait(false);
        var status = (int)response.StatusCode;
        return response.StatusCode switch
        {
            _ when response.IsSuccessStatusCode => Placed.Created,
            HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed => Placed.AlreadyThere,
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound or HttpStatusCode.Gone => Placed.Expired,

            // What a store answers when the bytes that arrived have another MD5: damage on the way.
            HttpStatusCode.BadRequest => throw new TransientException("the store answered 400, most likely because bytes were damaged on the way"),
            _ when Answers.MayPass(status) =>
                throw new TransientException($"the store answered {status}", Answers.RetryAfter(response, options.TimeProvider.GetUtcNow())),
            _ => throw new GiveUpException($"the store refused part {upload.Part} of the update with {status}"),
        };
    }

    /// <summary>A part that says when its bytes move.</summary>
    private sealed class WatchedContent(OutgoingPart part, Action<int> sent) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => part.CopyToAsync(stream, sent, CancellationToken.None);

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
            part.CopyToAsync(stream, sent, cancellationToken);

        protected override bool TryComputeLength(out long length)
        {
            length = part.Length;
            return true;
        }
    }
}
