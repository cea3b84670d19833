using System.Net;
using System.Net.Http.Json;
using FedServerless.Activities.State;
using FedServerless.Gateway.Authentication;
using FedServerless.Local.Engine.Journal;
using FedServerless.Gateway.Upkeep;
using FedServerless.Local.Hosting;
using FedServerless.LocalHost.Tests.Gateway;
using FedServerless.LocalHost.Tests.Storage;
using FedServerless.Testing.Engine;
using FedServerless.Testing.Storage;
using FedServerless.Wire;

namespace FedServerless.LocalHost.Tests.Host;

public sealed class LocalHostTests
{
    [Fact]
    public async Task Start_FreshFolder_LeavesItsAddressAndKey()
    {
        await using var host = await RunningHost.StartAsync();

        Assert.Equal($"{host.Host.Url}\n", await File.ReadAllTextAsync(Path.Combine(host.Folder, Local.Hosting.LocalHost.UrlFile)));
        Assert.Equal(host.Host.OperatorKey, (await File.ReadAllTextAsync(Path.Combine(host.Folder, "operator.key"))).Trim());
        Assert.Equal(HttpStatusCode.OK, (await host.Operator.GetAsync("runs")).StatusCode);
    }

    [Fact]
    public async Task Start_Secrets_AreTheOwnersOnlyAndLast()
    {
        using var folder = new TemporaryFolder();
        var first = SecretFiles.Load(folder.Path);
        var second = SecretFiles.Load(folder.Path);

        Assert.Equal(first.OperatorKey, second.OperatorKey);
        Assert.Equal(first.Ring.Current.Derive("a"), second.Ring.Current.Derive("a"));
        if (!OperatingSystem.IsWindows())
        {
            var key = Path.Combine(folder.Path, SecretFiles.OperatorKeyFile);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key));
            File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.GroupRead);
            Assert.Contains("chmod 600", Assert.Throws<SecretFileException>(() => SecretFiles.Load(folder.Path)).Message, StringComparison.Ordinal);
        }

        await Task.CompletedTask;
    }

    [Fact]
    public void Secrets_Damaged_SaysWhatToDo()
    {
        using var folder = new TemporaryFolder();
        SecretFiles.Load(folder.Path);
        File.WriteAllText(Path.Combine(folder.Path, SecretFiles.MasterFile), "short");

        Assert.Contains("backup", Assert.Throws<SecretFileException>(() => SecretFiles.Load(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_SecondHostOnTheFolder_NamesTheFirst()
    {
        await using var host = await RunningHost.StartAsync();
        var options = new LocalHostOptions { DataFolder = host.Folder, Url = "http://127.0.0.1:0" };

        var refused = await Assert.ThrowsAsync<HostStartException>(() => Local.Hosting.LocalHost.StartAsync(options, null, CancellationToken.None));

        Assert.Contains($"{Environment.ProcessId}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_PortTaken_SaysWhatToDo()
    {
        await using var host = await RunningHost.StartAsync();
        using var folder = new TemporaryFolder();
        var options = new LocalHostOptions { DataFolder = folder.Path, Url = $"http://127.0.0.1:{host.Host.Url.Port}" };

        var refused = await Assert.ThrowsAsync<HostStartException>(() => Local.Hosting.LocalHost.StartAsync(options, null, CancellationToken.None));

        Assert.Contains("--port", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restart_OwnParts_KeepsRunAndKey()
    {
        using var folder = new TemporaryFolder();
        var options = new LocalHostOptions { DataFolder = folder.Path, Url = "http://127.0.0.1:0", FlushToDisk = false };
        string key;
        await using (var first = await Local.Hosting.LocalHost.StartAsync(options, new LocalHostParts { Logging = _ => { } }, CancellationToken.None))
        {
            key = first.OperatorKey;
            using var http = Operator(first);
            var created = await http.PostAsJsonAsync("runs", new CreateRunRequest("r", RoundScene.Spec), WireJson.Default.CreateRunRequest);
            Assert.Equal(HttpStatusCode.Created, created.StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await http.PostAsync("runs/r/start", null)).StatusCode);
        }

        Assert.False(File.Exists(Path.Combine(folder.Path, Local.Hosting.LocalHost.UrlFile)));
        await using var second = await Local.Hosting.LocalHost.StartAsync(options, new LocalHostParts { Logging = _ => { } }, CancellationToken.None);
        using var again = Operator(second);
        Assert.Equal(key, second.OperatorKey);
        var run = await again.GetFromJsonAsync("runs/r", WireJson.Default.RunView);
        Assert.True(run!.State is RunStates.WaitingForClients or RunStates.Running, run.Reason);
    }

    [Theory]
    [InlineData("GET", "/api/v1/nope", 404)]
    [InlineData("GET", "/", 404)]
    [InlineData("DELETE", "/api/v1/runs", 405)]
    [InlineData("GET", "/api/v1/check-in", 405)]
    [InlineData("GET", "/api/v1/runs", 401)]
    [InlineData("GET", "/blobs/runs/r/run.json", 403)]
    [InlineData("PUT", "/blobs/runs/r/run.json", 403)]
    [InlineData("POST", "/api/v1/check-in", 401)]
    public async Task Refusals_AnyRoute_AreProblems(string method, string path, int status)
    {
        await using var host = await RunningHost.StartAsync();
        using var http = new HttpClient { BaseAddress = host.Host.Url };

        var response = await http.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));

        Assert.Equal((status, "application/problem+json"), ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        Assert.Equal(status, (await response.Content.ReadFromJsonAsync(WireJson.Default.ProblemDetails))!.Status);
        Assert.Equal(status == 405, response.Content.Headers.Allow.Count > 0);
    }

    [Fact]
    public async Task Blobs_UploadAndRange_GoByTheUrlAlone()
    {
        await using var host = await RunningHost.StartAsync();
        using var http = new HttpClient { BaseAddress = host.Host.Url };
        var put = await host.Host.Store.PresignCreateAsync("models/m/x", 2 << 20, TimeSpan.FromMinutes(1), CancellationToken.None);
        var get = await host.Host.Store.PresignGetAsync("models/m/x", TimeSpan.FromMinutes(1), CancellationToken.None);
        var bytes = new byte[2 << 20];
        bytes[5] = 7;

        Assert.Equal(HttpStatusCode.Created, (await http.PutAsync(put.Url, new ByteArrayContent(bytes))).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await http.PutAsync(put.Url, new ByteArrayContent(bytes))).StatusCode);
        using var request = new HttpRequestMessage(HttpMethod.Get, get.Url);
        request.Headers.Range = new(5, 6);
        using var part = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal([7, 0], await part.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Operator_BodyOverTheLimit_IsTooLarge()
    {
        await using var host = await RunningHost.StartAsync();

        var response = await host.Operator.PostAsync("runs", new ByteArrayContent(new byte[DeviceApi.MaxBodyBytes + 1]));

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    [Fact]
    public async Task Start_StoreFull_IsInsufficientStorageAndNothingHalfDone()
    {
        var full = true;
        await using var host = await RunningHost.StartAsync(inner => new FaultInjectingStore(inner, _ => full ? StoreFault.Full : StoreFault.None));

        var refused = await host.PostAsync("runs", new CreateRunRequest("r", RoundScene.Spec), WireJson.Default.CreateRunRequest);
        full = false;
        var created = await host.PostAsync("runs", new CreateRunRequest("r", RoundScene.Spec), WireJson.Default.CreateRunRequest);

        Assert.Equal((507, 201), ((int)refused.StatusCode, (int)created.StatusCode));
    }

    [Fact]
    public async Task Start_JournalFull_IsInsufficientStorageUntilThereIsRoom()
    {
        var journal = new FullJournal();
        await using var host = await RunningHost.StartAsync(journal: journal);
        await host.PostAsync("runs", new CreateRunRequest("r", RoundScene.Spec), WireJson.Default.CreateRunRequest);
        journal.IsFull = true;

        var refused = await host.Operator.PostAsync("runs/r/start", null);
        var again = await host.Operator.PostAsync("runs/r/start", null);
        journal.IsFull = false;
        Assert.Equal((507, 507), ((int)refused.StatusCode, (int)again.StatusCode));
        Assert.Equal("/problems/store-full", (await refused.Content.ReadFromJsonAsync(WireJson.Default.ProblemDetails))!.Type);
    }

    [Fact]
    public async Task Sweep_OrphansAndOldModelUploads_GoAndNothingElse()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.UploadAndCommitAsync(scene.Alice);
        await scene.PutAsync("updates/00/gone/000001/alice/x/header");
        await scene.PutAsync("models/m/uploads/x.safetensors");
        var sweeper = new OrphanSweep(scene.Bench.Store, scene.Bench.Time);

        Assert.Equal(0, await sweeper.RunAsync(CancellationToken.None));
        scene.Bench.Time.Advance(OrphanSweep.MinAge + TimeSpan.FromSeconds(1));
        Assert.Equal(2, await sweeper.RunAsync(CancellationToken.None));

        var outcome = new RoundOutcomeDocument(false, "over", null, 2, 1, 0, 0, 0, new Dictionary<string, double>(), 0, 1);
        await scene.Bench.Disk.CreateOnceAsync(StoreNames.RoundOutcome("r", 1), outcome, StoreJson.Default.RoundOutcomeDocument, CancellationToken.None);
        Assert.Equal(3, await sweeper.RunAsync(CancellationToken.None));
        Assert.Contains(StoreNames.Receipt("r", 1, "alice"), scene.Bench.Disk.Names);
    }

    [Fact]
    public void Parse_Arguments_FillTheOptions()
    {
        var (options, problems) = LocalHostOptions.Parse(["--data", "d", "--port", "0", "--public-url", "https://fed.example", "--no-flush"]);

        Assert.Empty(problems);
        Assert.Equal(("d", "http://127.0.0.1:0", new Uri("https://fed.example"), false), (options!.DataFolder, options.Url, options.PublicUrl, options.FlushToDisk));
    }

    [Fact]
    public void Parse_EverythingWrong_ListsEverything()
    {
        var (options, problems) = LocalHostOptions.Parse(["--port", "65536", "--bogus", "--url", "ftp://x", "--container"]);

        Assert.Null(options);
        Assert.Equal(5, problems.Count);
    }

    private static HttpClient Operator(Local.Hosting.LocalHost host)
    {
        var http = new HttpClient { BaseAddress = new Uri(host.Url, "api/v1/") };
        http.DefaultRequestHeaders.Authorization = new("Bearer", host.OperatorKey);
        return http;
    }

    /// <summary>A journal on a disk that fills up and is cleared.</summary>
    private sealed class FullJournal : IJournal
    {
        private readonly InMemoryJournal _inner = new();

        public volatile bool IsFull;

        public void Open() => _inner.Open();

        public IReadOnlyList<JournalInstance> ReadRunning() => _inner.ReadRunning();

        public JournalInstance? Find(string instanceId) => _inner.Find(instanceId);

        public IReadOnlyList<JournalEvent> ReadEvents(string instanceId, int generation) => _inner.ReadEvents(instanceId, generation);

        public void Commit(IReadOnlyList<JournalWrite> batch)
        {
            if (IsFull)
            {
                throw new JournalException(JournalFault.Full, "No room.");
            }

            _inner.Commit(batch);
        }

        public void Dispose() => _inner.Dispose();
    }
}
