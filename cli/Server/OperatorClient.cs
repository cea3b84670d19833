using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Cli.Server;

/// <summary>The operators' side of the HTTP surface. Every failure is a <see cref="CommandException"/> that says what to do.</summary>
internal sealed class OperatorClient : IDisposable
{
    private const int CopyBytes = 1 << 16;
    private readonly HttpClient _http;

    public OperatorClient(ServerAddress server, HttpMessageHandler? handler = null)
    {
        Server = server;
        _http = new HttpClient(handler ?? new SocketsHttpHandler(), disposeHandler: handler is null);
    }

    public ServerAddress Server { get; }

    public Task<RunView> CreateRunAsync(CreateRunRequest run, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, "runs", run, WireJson.Default.CreateRunRequest, WireJson.Default.RunView, cancellationToken);

    public Task<Listing<RunView>> ListRunsAsync(CancellationToken cancellationToken) => GetAsync("runs", WireJson.Default.ListingRunView, cancellationToken);

    public async Task DeleteRunAsync(string run, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, Address($"runs/{Escape(run)}"));
        Authorize(request);
        using var response = await SendAsync(request, cancellationToken);
    }

    public Task<RunView> GetRunAsync(string run, CancellationToken cancellationToken) =>
        GetAsync($"runs/{Escape(run)}", WireJson.Default.RunView, cancellationToken);

    /// <param name="run">The run.</param>
    /// <param name="verb"><c>start</c>, <c>pause</c>, <c>resume</c>, <c>stop</c> or <c>recover</c>.</param>
    /// <param name="reason">For people, or null.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public Task<RunView> SteerRunAsync(string run, string verb, string? reason, CancellationToken cancellationToken) =>
        PostAsync($"runs/{Escape(run)}/{verb}{(reason is null ? "" : $"?reason={Escape(reason)}")}", WireJson.Default.RunView, cancellationToken);

    public Task<Listing<RoundView>> ListRoundsAsync(string run, int after, CancellationToken cancellationToken) =>
        GetAsync($"runs/{Escape(run)}/rounds?after={after}", WireJson.Default.ListingRoundView, cancellationToken);

    public Task<Listing<RoundClientView>> ListRoundClientsAsync(string run, int round, string after, CancellationToken cancellationToken) =>
        GetAsync($"runs/{Escape(run)}/rounds/{round}/clients?after={Escape(after)}", WireJson.Default.ListingRoundClientView, cancellationToken);

    public Task<LogPage> GetLogAsync(string run, int after, CancellationToken cancellationToken) =>
        GetAsync($"runs/{Escape(run)}/log?after={after}", WireJson.Default.LogPage, cancellationToken);

    public Task<Listing<VersionView>> ListModelsAsync(CancellationToken cancellationToken) => GetAsync("models", WireJson.Default.ListingVersionView, cancellationToken);

    public Task<Listing<VersionView>> ListVersionsAsync(string model, CancellationToken cancellationToken) =>
        GetAsync($"models/{Escape(model)}/versions", WireJson.Default.ListingVersionView, cancellationToken);

    /// <param name="model">The model.</param>
    /// <param name="version">The version, or null for the one it serves.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public Task<VersionView> GetVersionAsync(string model, string? version, CancellationToken cancellationToken) =>
        GetAsync($"models/{Escape(model)}{(version is null ? "" : $"/versions/{Escape(version)}")}", WireJson.Default.VersionView, cancellationToken);

    public Task<PartUpload> AnnounceModelAsync(string model, ModelUploadRequest upload, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"models/{Escape(model)}/uploads", upload, WireJson.Default.ModelUploadRequest, WireJson.Default.PartUpload, cancellationToken);

    public Task<VersionView> CreateModelAsync(string model, CreateModelRequest request, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"models/{Escape(model)}", request, WireJson.Default.CreateModelRequest, WireJson.Default.VersionView, cancellationToken);

    public Task<VersionView> RollBackAsync(string model, string version, CancellationToken cancellationToken) => SendAsync(
        HttpMethod.Post, $"models/{Escape(model)}/rollback", new RollbackRequest(version), WireJson.Default.RollbackRequest, WireJson.Default.VersionView, cancellationToken);

    public Task<Listing<ClientView>> ListClientsAsync(string? population, CancellationToken cancellationToken) =>
        GetAsync(population is null ? "clients" : $"clients?population={Escape(population)}", WireJson.Default.ListingClientView, cancellationToken);

    public Task<ClientView> GetClientAsync(string client, CancellationToken cancellationToken) =>
        GetAsync($"clients/{Escape(client)}", WireJson.Default.ClientView, cancellationToken);

    public Task<ClientView> QuarantineClientAsync(string client, string? reason, CancellationToken cancellationToken) =>
        PostAsync($"clients/{Escape(client)}/quarantine{(reason is null ? "" : $"?reason={Escape(reason)}")}", WireJson.Default.ClientView, cancellationToken);

    public Task<ClientView> ReleaseClientAsync(string client, CancellationToken cancellationToken) =>
        PostAsync($"clients/{Escape(client)}/release", WireJson.Default.ClientView, cancellationToken);

    public Task<ClientView> RevokeClientAsync(string client, CancellationToken cancellationToken) =>
        PostAsync($"clients/{Escape(client)}/revoke", WireJson.Default.ClientView, cancellationToken);

    public Task<CreateEnrolmentResponse> CreateEnrolmentAsync(CreateEnrolmentRequest enrolment, CancellationToken cancellationToken) => SendAsync(
        HttpMethod.Post, "enrolments", enrolment, WireJson.Default.CreateEnrolmentRequest, WireJson.Default.CreateEnrolmentResponse, cancellationToken);

    /// <param name="day">The day as yyyy-MM-dd, or null for today.</param>
    /// <param name="after">What the page before gave as next, or null.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public Task<AuditPage> GetAuditAsync(string? day, string? after, CancellationToken cancellationToken)
    {
        var query = string.Join('&', new[] { (Name: "day", Value: day), (Name: "after", Value: after) }
            .Where(part => part.Value is not null)
            .Select(part => $"{part.Name}={Escape(part.Value!)}"));
        return GetAsync(query.Length == 0 ? "audit" : $"audit?{query}", WireJson.Default.AuditPage, cancellationToken);
    }

    public Task<BudgetView> SetBudgetAsync(string population, SetBudgetRequest budget, CancellationToken cancellationToken) => SendAsync(
        HttpMethod.Put, $"populations/{Escape(population)}/budget", budget, WireJson.Default.SetBudgetRequest, WireJson.Default.BudgetView, cancellationToken);

    public Task<BudgetView> GetBudgetAsync(string population, CancellationToken cancellationToken) =>
        GetAsync($"populations/{Escape(population)}/budget", WireJson.Default.BudgetView, cancellationToken);

    public Task<PrivacyReport> GetPopulationPrivacyAsync(string population, bool classic, CancellationToken cancellationToken) =>
        GetAsync($"populations/{Escape(population)}/privacy{(classic ? "?classic=true" : "")}", WireJson.Default.PrivacyReport, cancellationToken);

    public Task<PrivacyReport> GetRunPrivacyAsync(string run, bool classic, CancellationToken cancellationToken) =>
        GetAsync($"runs/{Escape(run)}/privacy{(classic ? "?classic=true" : "")}", WireJson.Default.PrivacyReport, cancellationToken);

    /// <param name="population">The population.</param>
    /// <param name="after">Only entries after this number; 0 for all.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public Task<LedgerPage> GetLedgerAsync(string population, long after, CancellationToken cancellationToken) =>
        GetAsync($"populations/{Escape(population)}/ledger?after={after}", WireJson.Default.LedgerPage, cancellationToken);

    public Task<LedgerNoteView> NoteInLedgerAsync(string population, LedgerNoteRequest note, CancellationToken cancellationToken) => SendAsync(
        HttpMethod.Post, $"populations/{Escape(population)}/ledger/notes", note, WireJson.Default.LedgerNoteRequest, WireJson.Default.LedgerNoteView, cancellationToken);

    /// <summary>Downloads a version's file and checks it against its digest.</summary>
    /// <param name="artifact">What to download.</param>
    /// <param name="destination">Gets the bytes; what it holds counts only when this returns.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task DownloadAsync(ModelArtifact artifact, Stream destination, CancellationToken cancellationToken)
    {
        // A pre-signed URL may lead to another server: the operator key stays here.
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Server.Url, artifact.Url));
        using var response = await SendAsync(request, cancellationToken);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[CopyBytes];
        var received = 0L;
        int count;
        while (received <= artifact.Bytes && (count = await ReadAsync()) > 0)
        {
            hash.AppendData(buffer, 0, count);
            await destination.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
            received += count;
        }

        if (received != artifact.Bytes || Digest.FromBytes(hash.GetHashAndReset()) != artifact.Digest)
        {
            throw new CommandException($"The downloaded model is damaged: {received} bytes do not have the digest {artifact.Digest}. Try again.");
        }

        // Not to be taken for a failure of the destination.
        async Task<int> ReadAsync()
        {
            try
            {
                return await body.ReadAsync(buffer, cancellationToken);
            }
            catch (IOException exception)
            {
                throw Interrupted(exception);
            }
        }
    }

    /// <summary>Sends a file to a pre-signed URL; that it is there already is success.</summary>
    public async Task UploadAsync(PartUpload upload, Stream content, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(new HttpMethod(upload.Method), new Uri(Server.Url, upload.Url)) { Content = new StreamContent(content) };
        foreach (var (name, value) in upload.Headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        using var response = await SendAsync(request, cancellationToken, status => status is 409 or 412);
    }

    public void Dispose() => _http.Dispose();

    private static string Escape(string text) => Uri.EscapeDataString(text);

    private Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        ExchangeAsync(new HttpRequestMessage(HttpMethod.Get, Address(path)), type, cancellationToken);

    private Task<T> PostAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        ExchangeAsync(new HttpRequestMessage(HttpMethod.Post, Address(path)), type, cancellationToken);

    private Task<TOut> SendAsync<TIn, TOut>(
        HttpMethod method, string path, TIn body, JsonTypeInfo<TIn> type, JsonTypeInfo<TOut> answer, CancellationToken cancellationToken)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, type));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return ExchangeAsync(new HttpRequestMessage(method, Address(path)) { Content = content }, answer, cancellationToken);
    }

    private async Task<T> ExchangeAsync<T>(HttpRequestMessage request, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using (request)
        {
            Authorize(request);
            using var response = await SendAsync(request, cancellationToken);
            try
            {
                await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
                return await JsonSerializer.DeserializeAsync(body, type, cancellationToken) ?? throw new JsonException("null");
            }
            catch (IOException exception)
            {
                throw Interrupted(exception);
            }
            catch (JsonException)
            {
                throw new CommandException($"{Server.Url} answered something that this version of fed does not understand. Compare `fed version` with {Address("version")}.");
            }
        }
    }

    private void Authorize(HttpRequestMessage request)
    {
        request.Headers.Authorization = Server.Key is null ? null : new AuthenticationHeaderValue("Bearer", Server.Key);
        if (request.Method != HttpMethod.Get)
        {
            // Whatever lies between may send it twice: the server carries it out once.
            request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString("N"));
        }
    }

    private CommandException Interrupted(IOException exception) =>
        new($"The connection to {Server.Url} broke off ({exception.Message}). Try again.");

    private async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken, Func<int, bool>? alsoSuccess = null)
    {
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (HttpRequestException exception)
        {
            throw new CommandException(
                $"Nothing answers at {request.RequestUri!.GetLeftPart(UriPartial.Authority)} ({exception.Message}). Start a server with: fed up; or name another with --url or {Variables.Url}.");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CommandException($"{Server.Url} did not answer within {_http.Timeout.TotalSeconds:0} s. Try again, or look at the host's output.");
        }

        if (response.IsSuccessStatusCode || alsoSuccess?.Invoke((int)response.StatusCode) == true)
        {
            return response;
        }

        using (response)
        {
            try
            {
                throw await Refusal.ReadAsync(response, Server, cancellationToken);
            }
            catch (HttpRequestException exception)
            {
                throw Interrupted(new IOException(exception.Message, exception));
            }
        }
    }

    private Uri Address(string path) => new($"{Server.Url.AbsoluteUri.TrimEnd('/')}{DeviceApi.Prefix}/{path}");
}
