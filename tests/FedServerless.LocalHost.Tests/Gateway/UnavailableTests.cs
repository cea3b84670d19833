using System.Text.Json;
using FedServerless.Gateway;
using FedServerless.Gateway.About;
using FedServerless.Gateway.Authentication;
using FedServerless.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace FedServerless.LocalHost.Tests.Gateway;

public sealed class UnavailableTests
{
    private static readonly GatewayOptions Explaining = new()
    {
        ExplainFailure = static exception => exception is TimeoutException ? "The store does not answer." : null,
    };

    [Fact]
    public async Task Device_HostWithoutSecrets_Is503AndLaterServed()
    {
        var secrets = new LateSecrets();
        using var bench = new GatewayBench(services: services => services.AddSingleton<IServerSecrets>(secrets));

        var refused = await bench.SendAsync("checkIn", "check-in", [], []);

        Assert.Equal(503, refused.Status);
        Assert.Equal("/problems/unavailable", refused.Problem().Type);
        Assert.Equal("None was read yet.", refused.Problem().Detail);
        Assert.Equal("15", refused.Headers["Retry-After"]);
        Assert.Equal(200, (await bench.OperateAsync("listRuns", "runs")).Status);

        secrets.Arrive();
        Assert.Equal(401, (await bench.SendAsync("checkIn", "check-in", [], [])).Status);
    }

    [Fact]
    public async Task Request_FailureThatTheHostExplains_Is503WithTheSentence()
    {
        using var bench = new GatewayBench(Explaining, _ => new BrokenStore(new TimeoutException()));

        var refused = await bench.OperateAsync("listRuns", "runs");

        Assert.Equal(503, refused.Status);
        Assert.Equal("The store does not answer.", refused.Problem().Detail);
    }

    [Fact]
    public async Task Request_FailureThatNobodyExplains_Is500()
    {
        using var bench = new GatewayBench(Explaining, _ => new BrokenStore(new InvalidOperationException("secret detail")));

        var refused = await bench.OperateAsync("listRuns", "runs");

        Assert.Equal(500, refused.Status);
        Assert.DoesNotContain("secret detail", refused.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, null, 200)]
    [InlineData(null, "late", 200)]
    [InlineData("broken", "late", 503)]
    public async Task Health_Findings_AreProblemsOrWarnings(string? fatal, string? warning, int status)
    {
        using var bench = new GatewayBench(services: services => services
            .AddSingleton<IHealthSource>(new Finding(fatal, IsFatal: true))
            .AddSingleton<IHealthSource>(new Finding(warning, IsFatal: false)));

        var answer = await bench.SendAsync("getHealth", "health", [], []);

        Assert.Equal(status, answer.Status);
        var health = JsonDocument.Parse(answer.Body).RootElement;
        Assert.Equal(fatal is null ? "healthy" : "unhealthy", health.GetProperty("status").GetString());
        Assert.Equal(fatal, health.TryGetProperty("problem", out var problem) ? problem.GetString() : null);
        Assert.Equal(warning, health.TryGetProperty("warnings", out var warnings) ? Assert.Single(warnings.EnumerateArray()).GetString() : null);
    }

    [Fact]
    public async Task Health_StoreFailureThatTheHostExplains_SaysTheSentence()
    {
        using var bench = new GatewayBench(
            Explaining with { ExplainFailure = static _ => "The identity lacks rights." }, _ => new BrokenStore(new TimeoutException()));

        var answer = await bench.SendAsync("getHealth", "health", [], []);

        Assert.Equal(503, answer.Status);
        Assert.Contains("The identity lacks rights.", answer.Text, StringComparison.Ordinal);
    }

    private sealed record Finding(string? Sentence, bool IsFatal) : IHealthSource
    {
        public Task<HealthFinding?> LookAsync(CancellationToken cancellationToken) =>
            Task.FromResult(Sentence is null ? null : new HealthFinding(Sentence, IsFatal));
    }

    private sealed class BrokenStore(Exception failure) : IObjectStore
    {
        public Task<ObjectFacts?> HeadAsync(string name, CancellationToken cancellationToken) => throw failure;

        public Task<ObjectFacts?> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) => throw failure;

        public Task<ObjectContent?> OpenAsync(string name, long offset, CancellationToken cancellationToken) => throw failure;

        public Task<PutResult> PutAsync(string name, Stream content, long length, PutCondition condition, CancellationToken cancellationToken) => throw failure;

        public IAsyncEnumerable<ObjectFacts> ListAsync(string prefix, CancellationToken cancellationToken) => throw failure;

        public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken) => throw failure;

        public Task<PresignedRequest> PresignGetAsync(string name, TimeSpan validFor, CancellationToken cancellationToken) => throw failure;

        public Task<PresignedRequest> PresignCreateAsync(string name, long length, TimeSpan validFor, CancellationToken cancellationToken) => throw failure;
    }

    private sealed class LateSecrets : IServerSecrets
    {
        private SecretRing? _ring;

        public SecretRing Ring => _ring ?? throw new SecretsUnavailableException("None was read yet.");

        public Task WaitAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void NoteUnknownKid()
        {
        }

        public void Arrive() => _ring = new SecretRing(new MasterSecret("a", new byte[32]));
    }
}
