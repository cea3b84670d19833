using Azure.Identity;
using Azure.Security.KeyVault.Secrets;
using FedServerless.Functions.Platform.Secrets;
using FedServerless.Gateway.Authentication;
using FedServerless.Platform.Tests.StandIns;
using FedServerless.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace FedServerless.Platform.Tests.Secrets;

/// <summary>The tests that read this process's environment, one at a time and with nothing else.</summary>
[CollectionDefinition(nameof(IdentityEnvironment), DisableParallelization = true)]
public sealed class IdentityEnvironment;

/// <summary>The real SecretClient and the real ManagedIdentityCredential before the stand-in, and a clock that stands still.</summary>
internal sealed class VaultBench : IAsyncDisposable
{
    private const string Endpoint = "IDENTITY_ENDPOINT";

    private const string EndpointHeader = "IDENTITY_HEADER";

    private VaultSecrets? _secrets;

    private VaultBench(VaultStandIn vault) => Vault = vault;

    public VaultStandIn Vault { get; }

    public ManualTimeProvider Time { get; } = new();

    public VaultSecrets Secrets => _secrets!;

    /// <summary>Seconds of the clock, for versions.</summary>
    public long Now => Time.GetUtcNow().ToUnixTimeSeconds();

    public static async Task<VaultBench> StartAsync()
    {
        var bench = new VaultBench(await VaultStandIn.StartAsync());
        Environment.SetEnvironmentVariable(Endpoint, new Uri(bench.Vault.Server.Http, "msi/token").AbsoluteUri);
        Environment.SetEnvironmentVariable(EndpointHeader, VaultStandIn.Header);
        return bench;
    }

    public SecretClient Client(int retries = 0)
    {
        var credential = new ManagedIdentityCredential(
            new ManagedIdentityCredentialOptions(ManagedIdentityId.FromUserAssignedClientId(Vault.ClientId)) { Transport = Vault.Server.Transport, Retry = { MaxRetries = 0 } });
        return new SecretClient(VaultStandIn.Uri, credential, new SecretClientOptions
        {
            Transport = Vault.Server.Transport,
            Retry = { MaxRetries = retries, Delay = TimeSpan.FromMilliseconds(1) },
        });
    }

    public Task<SecretRing> ReadAsync(int retries = 0) => new VaultReader(Client(retries), Time).ReadAsync(TestContext.Current.CancellationToken);

    /// <summary>Starts the keeper and waits for its first reading.</summary>
    public async Task StartKeeperAsync(VaultSecretsOptions? options = null)
    {
        // No limit while it reads: the clock stands still, and so a timer is armed exactly while the keeper rests.
        options = (options ?? new VaultSecretsOptions()) with { ReadWithin = Timeout.InfiniteTimeSpan, FirstWithin = Timeout.InfiniteTimeSpan };
        _secrets = new VaultSecrets(new VaultReader(Client(), Time), options, Time, NullLogger<VaultSecrets>.Instance);
        await _secrets.StartAsync(TestContext.Current.CancellationToken);
        await _secrets.WaitAsync(TestContext.Current.CancellationToken);
        await PollUntilAsync(() => Time.NextDue is not null);
    }

    /// <summary>Lets the clock run until the vault was asked once more and the keeper rests; tells how long that was.</summary>
    public async Task<TimeSpan> RunUntilAskedAsync(Func<int> asked)
    {
        var (before, start) = (asked(), Time.GetUtcNow());
        await PollUntilAsync(() =>
        {
            if (asked() > before)
            {
                return true;
            }

            if (Time.NextDue is { } due)
            {
                Time.AdvanceTo(due);
            }

            return false;
        });
        var ran = Time.GetUtcNow() - start;
        await PollUntilAsync(() => Time.NextDue is not null);
        return ran;
    }

    public static async Task PollUntilAsync(Func<bool> isSo)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        while (!isSo())
        {
            await Task.Delay(1, limit.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Environment.SetEnvironmentVariable(Endpoint, null);
        Environment.SetEnvironmentVariable(EndpointHeader, null);
        if (_secrets is not null)
        {
            await _secrets.StopAsync(CancellationToken.None);
            _secrets.Dispose();
        }

        await Vault.DisposeAsync();
    }
}
