using FedServerless.Cli;
using FedServerless.Cli.Secrets;
using FedServerless.Functions.Platform.Secrets;
using FedServerless.Platform.Tests.StandIns;

namespace FedServerless.Platform.Tests.Secrets;

/// <summary>What the tool makes is what the host reads, through the real client and one stand-in.</summary>
[Collection(nameof(IdentityEnvironment))]
public sealed class VaultRotationTests : IAsyncLifetime
{
    private VaultBench _bench = null!;

    private int _refusals;

    public async ValueTask InitializeAsync()
    {
        _bench = await VaultBench.StartAsync();
        _bench.Vault.Clock = () => _bench.Now;
    }

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task RotateAsync_EmptyVault_MakesTheSecretThatTheHostReads()
    {
        Assert.Equal(VaultReader.SecretName, VaultRotation.SecretName);

        var made = await RotateAsync(ifMissing: true);

        Assert.Equal(made, (await _bench.ReadAsync()).Current.Kid);
    }

    [Fact]
    public async Task RotateAsync_Again_KeepsTheSecretInUseAsThePreviousOne()
    {
        var first = await RotateAsync();
        _bench.Time.Advance(TimeSpan.FromSeconds(1));
        var second = await RotateAsync();

        var ring = await _bench.ReadAsync();
        Assert.Equal((second, first), (ring.Current.Kid, ring.Previous!.Kid));
        Assert.NotEqual(ring.Current.Derive("a"), ring.Previous.Derive("a"));
    }

    [Fact]
    public async Task RotateAsync_IfMissingAndThere_MakesNone()
    {
        await RotateAsync();

        Assert.Null(await RotateAsync(ifMissing: true));
        Assert.Single(_bench.Vault.Versions);
    }

    [Fact]
    public async Task RotateAsync_IfMissingAndOnlyDisabledOnes_MakesOne()
    {
        _bench.Vault.Versions.Add(_bench.Vault.Add("a", _bench.Now) with { Name = "b", Enabled = false });
        _bench.Vault.Versions.RemoveAt(0);

        Assert.NotNull(await RotateAsync(ifMissing: true));
    }

    [Theory]
    [InlineData(403, "Key Vault Secrets Officer")]
    [InlineData(409, "az keyvault secret recover")]
    [InlineData(400, "status 400")]
    public async Task RotateAsync_VaultThatRefuses_SaysWhatToDo(int status, string expected)
    {
        _bench.Vault.Fault = VaultStandIn.Refuse(status, "x", "no");

        var refused = await Assert.ThrowsAsync<CommandException>(() => RotateAsync());

        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, _refusals);
    }

    [Fact]
    public async Task RotateAsync_RoleThatTakesMinutes_IsWaitedFor()
    {
        _bench.Vault.Fault = VaultStandIn.Refuse(403, "Forbidden", "ForbiddenByRbac");
        var rotates = RotateAsync(ifMissing: true, wait: TimeSpan.FromMinutes(5));
        await VaultBench.PollUntilAsync(() => _bench.Time.NextDue is not null);
        _bench.Vault.Fault = null;
        _bench.Time.AdvanceTo(_bench.Time.NextDue!.Value);

        Assert.NotNull(await rotates);
        Assert.Equal(1, _refusals);
    }

    [Fact]
    public async Task RotateAsync_RoleThatNeverComes_EndsWithTheWait()
    {
        _bench.Vault.Fault = VaultStandIn.Refuse(403, "Forbidden", "ForbiddenByRbac");
        var rotates = RotateAsync(wait: TimeSpan.FromSeconds(30));
        await VaultBench.PollUntilAsync(() =>
        {
            if (_bench.Time.NextDue is { } due)
            {
                _bench.Time.AdvanceTo(due);
            }

            return rotates.IsCompleted;
        });

        await Assert.ThrowsAsync<CommandException>(() => rotates);
        Assert.Equal(2, _refusals);
    }

    private Task<string?> RotateAsync(bool ifMissing = false, TimeSpan wait = default) =>
        new VaultRotation(_bench.Client(), _bench.Time).RotateAsync(ifMissing, wait, () => _refusals++, TestContext.Current.CancellationToken);
}
