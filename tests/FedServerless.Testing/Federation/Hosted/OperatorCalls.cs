using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FedServerless.Wire;

namespace FedServerless.Testing.Federation.Hosted;

/// <summary>An operator over HTTP. What may be repeated is repeated while the host is away, as a script of an operator's would.</summary>
public sealed class OperatorCalls(HttpMessageHandler handler, Func<string> key) : IDisposable
{
    /// <summary>Longest that anything is waited for: a guard against tests that hang, never an expectation.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(5);

    private readonly HttpClient _http = new(handler, disposeHandler: false)
    {
        BaseAddress = new Uri(HostNetwork.Address, "api/v1/"),
        Timeout = Patience,
    };

    /// <summary>Sends once, whatever comes back.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key());
        return await _http.SendAsync(request);
    }

    /// <summary>Gets; repeats while the host is away.</summary>
    public Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type) => RepeatAsync(() => SendAsync(HttpMethod.Get, path), type);

    /// <summary>Posts what may be posted twice; repeats while the host is away.</summary>
    public Task<T> PostAsync<TBody, T>(string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<T> type) =>
        RepeatAsync(() => SendAsync(HttpMethod.Post, path, JsonContent.Create(body, bodyType)), type);

    /// <summary>Makes a one-time code.</summary>
    public async Task<string> EnrolmentCodeAsync(string client, string population = "default")
    {
        var made = await PostAsync(
            "enrolments", new CreateEnrolmentRequest(client, population), WireJson.Default.CreateEnrolmentRequest, WireJson.Default.CreateEnrolmentResponse);
        return made.Code;
    }

    /// <summary>Uploads a file as version 0 of a model, as <c>fed model put</c> does.</summary>
    public async Task<VersionView> PutModelAsync(string model, byte[] file)
    {
        var digest = Digest.Of(file);
        var upload = await PostAsync(
            $"models/{model}/uploads", new ModelUploadRequest(digest, file.Length), WireJson.Default.ModelUploadRequest, WireJson.Default.PartUpload);
        using var content = new ByteArrayContent(file);
        using var request = new HttpRequestMessage(new HttpMethod(upload.Method), new Uri(HostNetwork.Address, upload.Url)) { Content = content };
        foreach (var (name, value) in upload.Headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        using var answer = await _http.SendAsync(request);
        answer.EnsureSuccessStatusCode();
        return await PostAsync($"models/{model}", new CreateModelRequest(digest), WireJson.Default.CreateModelRequest, WireJson.Default.VersionView);
    }

    /// <summary>Creates a run and starts it.</summary>
    public async Task<RunView> StartRunAsync(string id, RunSpec spec)
    {
        await PostAsync("runs", new CreateRunRequest(id, spec), WireJson.Default.CreateRunRequest, WireJson.Default.RunView);
        return await SteerAsync(id, "start");
    }

    /// <summary>Starts, pauses, resumes, stops or recovers a run.</summary>
    public Task<RunView> SteerAsync(string id, string verb) =>
        RepeatAsync(() => SendAsync(HttpMethod.Post, $"runs/{id}/{verb}"), WireJson.Default.RunView);

    /// <summary>The run as it is now.</summary>
    public Task<RunView> RunAsync(string id) => GetAsync($"runs/{id}", WireJson.Default.RunView);

    /// <summary>One round as it is now.</summary>
    public Task<RoundView> RoundAsync(string run, int round) => GetAsync($"runs/{run}/rounds/{round}", WireJson.Default.RoundView);

    /// <summary>Looks until the run is as wished.</summary>
    /// <exception cref="TimeoutException">It never was.</exception>
    public async Task<RunView> WaitForRunAsync(string id, Func<RunView, bool> wished)
    {
        ArgumentNullException.ThrowIfNull(wished);
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var run = await RunAsync(id);
            if (wished(run))
            {
                return run;
            }

            if (patience.IsCancellationRequested)
            {
                throw new TimeoutException($"Run '{id}' is {run.State} ({run.Reason}) in round {run.Round}, {run.PublishedRounds} published.");
            }

            await Task.Delay(Interval);
        }
    }

    /// <summary>Waits until the run has ended.</summary>
    public Task<RunView> WaitForEndAsync(string id) => WaitForRunAsync(id, run => RunStates.IsFinal(run.State));

    public void Dispose() => _http.Dispose();

    private static async Task<T> RepeatAsync<T>(Func<Task<HttpResponseMessage>> send, JsonTypeInfo<T> type)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            string trouble;
            try
            {
                using var response = await send();
                var body = await response.Content.ReadAsByteArrayAsync();
                if (response.IsSuccessStatusCode)
                {
                    return JsonSerializer.Deserialize(body, type)!;
                }

                trouble = $"{(int)response.StatusCode} {System.Text.Encoding.UTF8.GetString(body)}";
                if ((int)response.StatusCode < 500)
                {
                    throw new InvalidOperationException($"{response.RequestMessage?.RequestUri} was refused: {trouble}");
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException)
            {
                trouble = exception.Message;
            }

            if (patience.IsCancellationRequested)
            {
                throw new TimeoutException($"The host stays away: {trouble}");
            }

            await Task.Delay(Interval);
        }
    }
}
