using System.Buffers.Text;
using System.Collections.Immutable;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using FedServerless.Model;
using FedServerless.Testing.Federation.Hosted;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.EndToEnd.Tests.Hostile;

/// <summary>
/// An enrolled device that speaks the protocol by itself, written from docs/concepts/device-authentication.md and
/// update-format.md, so that it can say what no honest client says.
/// </summary>
internal sealed class HostileDevice : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly HttpClient _http;
    private string _nonce = "";

    private HostileDevice(HostedFederation federation, string id)
    {
        _http = new HttpClient(federation.Network.Handler, disposeHandler: false) { BaseAddress = HostNetwork.Address };
        Id = id;
    }

    public string Id { get; }

    /// <summary>What its check-ins tell of it; null for nothing.</summary>
    public DeviceMeasurements? Measured { get; set; }

    /// <summary>The last request it signed, as it was sent.</summary>
    public (HttpMethod Method, string Path, byte[] Body, string Proof) Last { get; private set; }

    public static async Task<HostileDevice> EnrolAsync(HostedFederation federation, string id)
    {
        var device = new HostileDevice(federation, id);
        Assert.True(EnrolmentCode.TryParse(await federation.Operator.EnrolmentCodeAsync(id), out var code));
        var point = device._key.ExportParameters(false).Q;
        var request = new EnrolRequest(code!.Secret, Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
        await device.CallAsync("enrol", request, WireJson.Default.EnrolRequest, WireJson.Default.EnrolResponse);
        return device;
    }

    /// <summary>Waits for its lease.</summary>
    public async Task<TrainLease> LeaseAsync()
    {
        while (true)
        {
            if ((await CheckInAsync()).Train is { } lease)
            {
                return lease;
            }

            await Task.Delay(5);
        }
    }

    /// <summary>Checks in once.</summary>
    public Task<CheckInResponse> CheckInAsync()
    {
        var request = new CheckInRequest(DeviceApi.Version, "hostile") { Measured = Measured };
        return CallAsync("check-in", request, WireJson.Default.CheckInRequest, WireJson.Default.CheckInResponse);
    }

    /// <summary>A sound update of the lease: every parameter moves by <paramref name="delta"/>.</summary>
    public async Task<HostileUpdate> EncodeAsync(TrainLease lease, float delta)
    {
        var start = ModelStateFile.Read(await _http.GetByteArrayAsync(lease.Base.Url));
        var shape = UpdateShape.Create(start.Layout, lease.Update);
        var payload = new MemoryStream();
        var deltas = new float[start.Layout.ParameterCount];
        deltas.AsSpan().Fill(delta);
        var header = UpdateEncoder.EncodeDeltas(shape, lease.Base.Digest, deltas, [], [], payload);
        return new HostileUpdate(header.Bytes.ToArray(), payload.ToArray());
    }

    public async Task<IReadOnlyList<PartUpload>> AskAsync(TrainLease lease, HostileUpdate update)
    {
        var request = new UploadRequest(
            Digest.Of(update.Header), update.Header.Length, [new UploadPart(update.Part.Length, Convert.ToBase64String(MD5.HashData(update.Part)))]);
        var answer = await CallAsync(
            $"runs/{lease.Run}/rounds/{lease.Round}/uploads", request, WireJson.Default.UploadRequest, WireJson.Default.UploadResponse);
        return answer.Missing;
    }

    public async Task UploadAsync(TrainLease lease, HostileUpdate update)
    {
        foreach (var part in await AskAsync(lease, update))
        {
            Assert.Equal(201, await PutAsync(part, part.Part < 0 ? update.Header : update.Part));
        }
    }

    /// <summary>Sends bytes to a URL it was given, or to one it made of it.</summary>
    public async Task<int> PutAsync(PartUpload upload, byte[] bytes, string? url = null)
    {
        using var content = new ByteArrayContent(bytes);
        using var request = new HttpRequestMessage(new HttpMethod(upload.Method), url ?? upload.Url) { Content = content };
        foreach (var (name, value) in upload.Headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        using var answer = await _http.SendAsync(request);
        return (int)answer.StatusCode;
    }

    public Receipt Receipt(TrainLease lease, HostileUpdate update, long samples = 10) => new(
        Id, lease.Run, lease.Round, lease.Base.Digest, Digest.Of(update.Header), update.Header.Length + update.Part.Length, samples,
        ImmutableSortedDictionary<string, double>.Empty.Add("training-loss", 1));

    public Task<(int Status, string Body)> CommitAsync(TrainLease lease, Receipt receipt) => SendAsync(
        HttpMethod.Post, $"runs/{lease.Run}/rounds/{lease.Round}/receipts", JsonSerializer.SerializeToUtf8Bytes(receipt, WireJson.Default.Receipt));

    /// <summary>Signs and sends; answers a nonce's challenge.</summary>
    public async Task<(int Status, string Body)> SendAsync(HttpMethod method, string route, byte[] body)
    {
        while (true)
        {
            var path = $"{DeviceApi.Prefix}/{route}";
            Last = (method, path, body, Sign(method, path, body, route == "enrol"));
            var answer = await RawAsync(method, path, body, Last.Proof);
            if (answer.Status != 401 || !answer.Body.Contains("/problems/nonce", StringComparison.Ordinal))
            {
                return answer;
            }
        }
    }

    /// <summary>Sends anything under any proof.</summary>
    public async Task<(int Status, string Body)> RawAsync(HttpMethod method, string path, byte[] body, string proof)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        request.Headers.TryAddWithoutValidation("Authorization", $"{DeviceApi.AuthorizationScheme} {proof}");
        using var answer = await _http.SendAsync(request);
        if (answer.Headers.TryGetValues(DeviceApi.NonceHeader, out var nonces))
        {
            _nonce = nonces.First();
        }

        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    public void Dispose()
    {
        _http.Dispose();
        _key.Dispose();
    }

    private async Task<T> CallAsync<TBody, T>(string route, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<T> type)
    {
        var answer = await SendAsync(HttpMethod.Post, route, JsonSerializer.SerializeToUtf8Bytes(body, bodyType));
        Assert.True(answer.Status == 200, answer.Body);
        return JsonSerializer.Deserialize(answer.Body, type)!;
    }

    private string Sign(HttpMethod method, string path, byte[] body, bool enrols)
    {
        var header = new JsonObject { ["typ"] = DeviceApi.ProofType, ["alg"] = "ES256" };
        if (!enrols)
        {
            header["kid"] = Id;
        }

        var payload = new JsonObject
        {
            ["htm"] = method.Method,
            ["htu"] = new Uri(HostNetwork.Address, path).AbsoluteUri,
            ["iat"] = DateTimeOffset.UtcNow.ToUnixTimeSeconds(),
            ["jti"] = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)),
            ["nonce"] = _nonce,
            ["bh"] = Base64Url.EncodeToString(SHA256.HashData(body)),
        };
        var signed = $"{Encode(header)}.{Encode(payload)}";
        var signature = _key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";

        static string Encode(JsonObject part) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(part.ToJsonString()));
    }
}

/// <summary>An update of one block: what a hostile device uploads.</summary>
internal sealed record HostileUpdate(byte[] Header, byte[] Part)
{
    /// <summary>Other bytes in the part, with a header that vouches for them.</summary>
    public HostileUpdate WithPart(Action<byte[]> change)
    {
        var (header, part) = ((byte[])Header.Clone(), (byte[])Part.Clone());
        change(part);
        Digest.Of(part).AsSpan()[..UpdateFormat.BlockHashBytes].CopyTo(header.AsSpan(UpdateFormat.FixedHeaderBytes + sizeof(uint)));
        return new HostileUpdate(header, part);
    }

    /// <summary>Another bit in the part, or, with <paramref name="inHeader"/>, in the header.</summary>
    public HostileUpdate Flipped(int at, bool inHeader)
    {
        var (header, part) = ((byte[])Header.Clone(), (byte[])Part.Clone());
        (inHeader ? header : part)[at] ^= 1;
        return new HostileUpdate(header, part);
    }
}
