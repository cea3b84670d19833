using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FedServerless.Wire;

namespace FedServerless.Client.Tests.Support;

/// <summary>
/// A server and a store behind one handler, written from the wire contract alone. It believes nothing: every proof, MD5 and
/// create-only condition is checked, and a failed check fails the test.
/// </summary>
internal sealed class FakeServer(TestClock clock) : HttpMessageHandler
{
    public const string Origin = "http://fed.test:8080";

    private readonly Dictionary<string, (string X, string Y)> _keys = [];
    private readonly HashSet<string> _jtis = [];
    private int _nonces;

    public EnrolmentCode Code { get; set; } = new(new Uri(Origin), "sensor-7", "c2VjcmV0");

    /// <summary>Every request in order: method and route, or method and path in the store.</summary>
    public List<string> Log { get; } = [];

    /// <summary>What goes wrong with request <c>n</c> (from 0).</summary>
    public Func<int, string, Fault?> FaultAt { get; set; } = (_, _) => null;

    /// <summary>Called when a fault kills the process.</summary>
    public Action OnKill { get; set; } = () => { };

    /// <summary>What the store serves, by path.</summary>
    public Dictionary<string, byte[]> Models { get; } = [];

    /// <summary>What was uploaded, by path.</summary>
    public Dictionary<string, byte[]> Store { get; } = [];

    /// <summary>Answers to check-ins in order; the last repeats.</summary>
    public Queue<CheckInResponse> CheckIns { get; } = new();

    /// <summary>Answers a check-in by what it tells; null for the next of <see cref="CheckIns"/>.</summary>
    public Func<CheckInRequest, CheckInResponse?> OnCheckIn { get; set; } = _ => null;

    public List<Receipt> Receipts { get; } = [];

    public List<Evaluation> Evaluations { get; } = [];

    /// <summary>Null: commits in time. Else the status of every commit.</summary>
    public HttpStatusCode? CommitStatus { get; set; }

    public string? ReceiptState { get; set; }

    /// <summary>What became of the update of a round; before <see cref="ReceiptState"/>.</summary>
    public Dictionary<int, string> Fates { get; } = [];

    /// <summary>Rounds whose update came after the seal.</summary>
    public HashSet<int> CameLate { get; } = [];

    public bool HonourRanges { get; set; } = true;

    /// <summary>Most parts named in one answer to <c>uploads</c>.</summary>
    public int UploadPage { get; set; } = int.MaxValue;

    /// <summary>A last word on every answer.</summary>
    public Func<string, HttpResponseMessage, HttpResponseMessage> Rewrite { get; set; } = (_, response) => response;

    public bool RequireNonce { get; set; } = true;

    public string? LastPrefer { get; private set; }

    /// <summary>What the last check-in told.</summary>
    public DeviceMeasurements? Measured { get; private set; }

    public List<UploadRequest> Announced { get; } = [];

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var isApi = request.RequestUri!.AbsolutePath.StartsWith("/api/v1/", StringComparison.Ordinal);
        var name = $"{request.Method} {(isApi ? request.RequestUri.AbsolutePath["/api/v1/".Length..] : request.RequestUri.AbsolutePath)}";
        var fault = FaultAt(Log.Count, name);
        Log.Add(name);
        switch (fault)
        {
            case Fault.LoseRequest:
                throw new HttpRequestException("The network is down.");
            case Fault.Hang:
                await Task.Delay(Timeout.Infinite, cancellationToken);
                break;
            case Fault.Kill { After: false }:
                OnKill();
                throw new OperationCanceledException(cancellationToken);
            case Fault.Instead other:
                return other.Response();
            case Fault.Answer answer:
                var refusal = new HttpResponseMessage(answer.Status);
                if (answer.RetryAfter is not null)
                {
                    refusal.Headers.TryAddWithoutValidation("Retry-After", answer.RetryAfter);
                }

                return refusal;
        }

        var body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        var response = Rewrite(name, isApi ? Api(request, body) : Blob(request, body));
        switch (fault)
        {
            case Fault.LoseAnswer:
                throw new HttpRequestException("The connection was reset.");
            case Fault.Kill:
                OnKill();
                throw new OperationCanceledException(cancellationToken);
            case Fault.BreakOff broken:
                var content = await response.Content.ReadAsByteArrayAsync(cancellationToken);
                response.Content = Copy(response.Content.Headers, new StreamContent(new BrokenStream(content, broken.Bytes)));
                break;
        }

        return response;
    }

    public static HttpResponseMessage Json<T>(HttpStatusCode status, T value, JsonTypeInfo<T> type) =>
        new(status) { Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(value, type)) };

    /// <summary>The body of an answer.</summary>
    public static string TextOf(HttpResponseMessage response)
    {
        using var body = new StreamReader(response.Content.ReadAsStream());
        return body.ReadToEnd();
    }

    /// <summary>The answer with another body.</summary>
    public static HttpResponseMessage Text(string body, HttpResponseMessage response)
    {
        response.Content = new StringContent(body);
        return response;
    }

    private static StreamContent Copy(HttpContentHeaders headers, StreamContent content)
    {
        foreach (var header in headers)
        {
            content.Headers.TryAddWithoutValidation(header.Key, header.Value);
        }

        return content;
    }

    private HttpResponseMessage Api(HttpRequestMessage request, byte[] body)
    {
        var response = Answer(request, body);
        response.Headers.Add("Fed-Nonce", $"n{++_nonces}");
        return response;
    }

    private HttpResponseMessage Answer(HttpRequestMessage request, byte[] body)
    {
        var route = request.RequestUri!.AbsolutePath["/api/v1/".Length..];
        var proof = ProofCheck.Read(request);
        if (route == "enrol")
        {
            Assert.Null(proof.Kid);
            var enrol = Read(body, WireJson.Default.EnrolRequest);
            proof.Verify(request, body, enrol.X, enrol.Y);
            return Challenge(proof) ?? Enrol(enrol);
        }

        if (proof.Kid is null || !_keys.TryGetValue(proof.Kid, out var key))
        {
            return Problem(HttpStatusCode.Unauthorized, "/problems/authentication");
        }

        proof.Verify(request, body, key.X, key.Y);
        LastPrefer = request.Headers.TryGetValues("Prefer", out var prefer) ? prefer.Single() : null;
        return Challenge(proof) ?? Route(route, proof.Kid, body);
    }

    private HttpResponseMessage? Challenge(ProofCheck proof)
    {
        Assert.True(_jtis.Add(proof.Jti), "A proof was used twice.");
        if ((proof.IssuedAt - clock.True).Duration() > TimeSpan.FromSeconds(120))
        {
            return Problem(HttpStatusCode.Unauthorized, "/problems/clock", clock.True);
        }

        return RequireNonce && (proof.Nonce.Length < 2 || int.Parse(proof.Nonce[1..]) > _nonces)
            ? Problem(HttpStatusCode.Unauthorized, "/problems/nonce")
            : null;
    }

    private HttpResponseMessage Enrol(EnrolRequest enrol)
    {
        if (enrol.Code != Code.Secret || (_keys.TryGetValue(Code.Client, out var known) && known != (enrol.X, enrol.Y)))
        {
            return Problem(HttpStatusCode.Conflict, "/problems/code-used");
        }

        _keys[Code.Client] = (enrol.X, enrol.Y);
        return Json(HttpStatusCode.OK, new EnrolResponse(Code.Client, "default"), WireJson.Default.EnrolResponse);
    }

    /// <summary>A new code for the same client: the next key enrolled with it replaces the old one.</summary>
    public void Reissue(string secret)
    {
        Code = Code with { Secret = secret };
        _keys.Remove(Code.Client);
    }

    private HttpResponseMessage Route(string route, string client, byte[] body)
    {
        switch (route.Split('/')[^1])
        {
            case "check-in":
                var request = Read(body, WireJson.Default.CheckInRequest);
                Assert.Equal(1, request.ApiVersion);
                Measured = request.Measured;
                var next = OnCheckIn(request) is { } chosen ? chosen : CheckIns.Count > 1 ? CheckIns.Dequeue() : CheckIns.Peek();
                return Json(HttpStatusCode.OK, next, WireJson.Default.CheckInResponse);
            case "uploads":
                return Json(HttpStatusCode.OK, Missing(client, Read(body, WireJson.Default.UploadRequest)), WireJson.Default.UploadResponse);
            case "receipts":
                return Commit(client, Read(body, WireJson.Default.Receipt));
            case "evaluations":
                var evaluation = Read(body, WireJson.Default.Evaluation);
                var known = Evaluations.Count > 0;
                Assert.True(!known || Evaluations[0].Metrics.SequenceEqual(evaluation.Metrics), "Two evaluations of one client differ.");
                Evaluations.Add(evaluation);
                return Json(known ? HttpStatusCode.OK : HttpStatusCode.Created, new CommitResponse("committed"), WireJson.Default.CommitResponse);
            case "mine":
                return Json(HttpStatusCode.OK, Status(int.Parse(route.Split('/')[^3])), WireJson.Default.ReceiptStatus);
            default:
                return Problem(HttpStatusCode.NotFound, "/problems/not-found");
        }
    }

    private ReceiptStatus Status(int round)
    {
        var receipt = Receipts.Find(receipt => receipt.Round == round);
        var state = Fates.GetValueOrDefault(round) ?? ReceiptState ?? (receipt is null ? ReceiptStates.Unknown : ReceiptStates.Committed);
        return new ReceiptStatus(state, null, state == ReceiptStates.Unknown ? null : receipt?.HeaderDigest) { Late = CameLate.Contains(round) };
    }

    private HttpResponseMessage Commit(string client, Receipt receipt)
    {
        Assert.Equal(client, receipt.Client);
        if (CommitStatus == HttpStatusCode.Conflict)
        {
            return Problem(HttpStatusCode.Conflict, "/problems/another-receipt");
        }

        var earlier = Receipts.Find(earlier => earlier.Round == receipt.Round);
        if (earlier is not null && JsonSerializer.Serialize(earlier, WireJson.Default.Receipt) != JsonSerializer.Serialize(receipt, WireJson.Default.Receipt))
        {
            return Problem(HttpStatusCode.Conflict, "/problems/another-receipt");
        }

        Receipts.Add(receipt);
        var state = CommitStatus == HttpStatusCode.Accepted ? ReceiptStates.Late : ReceiptStates.Committed;
        return Json(
            CommitStatus ?? (earlier is not null ? HttpStatusCode.OK : HttpStatusCode.Created), new CommitResponse(state), WireJson.Default.CommitResponse);
    }

    private UploadResponse Missing(string client, UploadRequest request)
    {
        Announced.Add(request);
        var missing = new List<PartUpload>();
        for (var part = -1; part < request.Parts.Count; part++)
        {
            var path = $"/store/{client}/{request.HeaderDigest}/{part}";
            if (!Store.ContainsKey(path))
            {
                missing.Add(new PartUpload(part, "PUT", path + "?sig=1", new Dictionary<string, string> { ["If-None-Match"] = "*", ["x-ms-blob-type"] = "BlockBlob" }));
            }
        }

        return new UploadResponse([.. missing.Take(UploadPage)]);
    }

    private HttpResponseMessage Blob(HttpRequestMessage request, byte[] body)
    {
        Assert.False(request.Headers.Contains("Authorization"), "A proof went to a pre-signed URL.");
        var path = request.RequestUri!.AbsolutePath;
        if (request.Method == HttpMethod.Put)
        {
            Assert.Equal("*", request.Headers.GetValues("If-None-Match").Single());
            Assert.Equal(CryptographicOperations.HashData(HashAlgorithmName.MD5, body), request.Content!.Headers.ContentMD5);
            return new HttpResponseMessage(Store.TryAdd(path, body) ? HttpStatusCode.Created : HttpStatusCode.Conflict);
        }

        if (!Models.TryGetValue(path, out var model))
        {
            return new HttpResponseMessage(HttpStatusCode.Forbidden);
        }

        var from = HonourRanges ? (int)(request.Headers.Range?.Ranges.Single().From ?? 0) : 0;
        if (from == 0)
        {
            return new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(model) };
        }

        var rest = new HttpResponseMessage(HttpStatusCode.PartialContent) { Content = new ByteArrayContent(model[from..]) };
        rest.Content.Headers.ContentRange = new ContentRangeHeaderValue(from, model.Length - 1, model.Length);
        return rest;
    }

    private static T Read<T>(byte[] body, JsonTypeInfo<T> type) => JsonSerializer.Deserialize(body, type)!;

    private static HttpResponseMessage Problem(HttpStatusCode status, string type, DateTimeOffset? serverTime = null) =>
        Json(status, new ProblemDetails(type, type, (int)status, ServerTime: serverTime), WireJson.Default.ProblemDetails);

    private sealed class BrokenStream(byte[] content, int bytes) : Stream
    {
        private int _position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (_position >= Math.Min(bytes, content.Length))
            {
                throw new IOException("The connection was reset.");
            }

            var read = Math.Min(count, Math.Min(bytes, content.Length) - _position);
            content.AsSpan(_position, read).CopyTo(buffer.AsSpan(offset));
            _position += read;
            return read;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
