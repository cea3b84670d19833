using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Serialization.Metadata;
using FedServerless.Client;
using FedServerless.Local.Engine.Journal;
using FedServerless.Local.Hosting;
using FedServerless.LocalHost.Tests.Storage;
using FedServerless.Storage;
using FedServerless.Testing.Engine;
using FedServerless.Testing.Storage;
using FedServerless.Wire;

namespace FedServerless.LocalHost.Tests.Host;

/// <summary>A host on a free loopback port, over a store and journal in memory, with an operator's HTTP client.</summary>
internal sealed class RunningHost : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();

    private RunningHost()
    {
    }

    public Local.Hosting.LocalHost Host { get; private set; } = null!;

    public HttpClient Operator { get; private set; } = null!;

    public string Folder => _folder.Path;

    public static async Task<RunningHost> StartAsync(
        Func<IObjectStore, IObjectStore>? wrap = null, IJournal? journal = null, Func<LocalHostOptions, LocalHostOptions>? with = null)
    {
        var running = new RunningHost();
        var parts = new LocalHostParts
        {
            Store = signer => (wrap ?? (store => store))(new InMemoryObjectStore(signer)),
            Journal = journal ?? new InMemoryJournal(),
            Logging = _ => { },
        };
        var options = new LocalHostOptions { DataFolder = running.Folder, Url = "http://127.0.0.1:0", FlushToDisk = false };
        running.Host = await Local.Hosting.LocalHost.StartAsync(with?.Invoke(options) ?? options, parts, CancellationToken.None);
        running.Operator = new HttpClient { BaseAddress = new Uri(running.Host.Url, "api/v1/") };
        running.Operator.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", running.Host.OperatorKey);
        return running;
    }

    public async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type) => (await Operator.GetFromJsonAsync(path, type))!;

    public async Task<HttpResponseMessage> PostAsync<T>(string path, T body, JsonTypeInfo<T> type) =>
        await Operator.PostAsJsonAsync(path, body, type);

    public async Task<FedClient> EnrolAsync(string client)
    {
        var answer = await PostAsync("enrolments", new CreateEnrolmentRequest(client), WireJson.Default.CreateEnrolmentRequest);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        var code = await answer.Content.ReadFromJsonAsync(WireJson.Default.CreateEnrolmentResponse);
        return await FedClient.EnrolAsync(code!.Code, Path.Combine(Folder, "device-" + client), CancellationToken.None);
    }

    /// <summary>Creates and starts a run.</summary>
    public async Task StartRunAsync(string id, RunSpec spec)
    {
        var created = await PostAsync("runs", new CreateRunRequest(id, spec), WireJson.Default.CreateRunRequest);
        Assert.True(created.StatusCode == HttpStatusCode.Created, await created.Content.ReadAsStringAsync());
        var started = await Operator.PostAsync($"runs/{id}/start", null);
        Assert.True(started.StatusCode == HttpStatusCode.OK, await started.Content.ReadAsStringAsync());
    }

    /// <summary>Reads the run's event stream to its end: no polling, no sleeping.</summary>
    public async Task<RunView> WaitForEndAsync(string id)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"runs/{id}/log");
        request.Headers.Accept.ParseAdd("text/event-stream");
        using var response = await Operator.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        while (await reader.ReadLineAsync() is { } line && line != "event: end")
        {
        }

        return await GetAsync($"runs/{id}", WireJson.Default.RunView);
    }

    public async ValueTask DisposeAsync()
    {
        Operator.Dispose();
        await Host.DisposeAsync();
        _folder.Dispose();
    }
}
