using FedServerless.Functions.Platform.Secrets;
using FedServerless.Gateway.Authentication;
using FedServerless.Platform.Tests.StandIns;

namespace FedServerless.Platform.Tests.Secrets;

[Collection(nameof(IdentityEnvironment))]
public sealed class VaultSecretsTests : IAsyncLifetime
{
    private static readonly VaultSecretsOptions Defaults = new();

    private VaultBench _bench = null!;

    private VaultSecrets Secrets => _bench.Secrets;

    private VaultStandIn Vault => _bench.Vault;

    public async ValueTask InitializeAsync() => _bench = await VaultBench.StartAsync();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task Ring_AfterTheFirstReading_IsTheVaultsAndHealthy()
    {
        Vault.Add("a", _bench.Now);

        await _bench.StartKeeperAsync();

        Assert.Equal("a", Secrets.Ring.Current.Kid);
        Assert.Null(await Secrets.LookAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Ring_NothingWasEverRead_FailsClosedAndSaysWhy()
    {
        await _bench.StartKeeperAsync();

        var refused = Assert.Throws<SecretsUnavailableException>(() => Secrets.Ring);
        Assert.Contains("fed secrets rotate", refused.Message, StringComparison.Ordinal);
        var finding = await Secrets.LookAsync(TestContext.Current.CancellationToken);
        Assert.True(finding!.IsFatal);
        Assert.Equal(refused.Message, finding.Sentence);
    }

    [Fact]
    public async Task Ring_SecretMadeAfterTheStart_IsFoundWithinSeconds()
    {
        await _bench.StartKeeperAsync();
        Vault.Add("a", _bench.Now);

        var ran = await _bench.RunUntilAskedAsync(() => Vault.Listings);

        Assert.Equal(Defaults.MinRetryAfter, ran);
        Assert.Equal("a", Secrets.Ring.Current.Kid);
    }

    [Fact]
    public async Task Failures_OneAfterAnother_AreSpacedUpToTheLongestPause()
    {
        await _bench.StartKeeperAsync();

        var pauses = new List<double>();
        for (var i = 0; i < 8; i++)
        {
            pauses.Add((await _bench.RunUntilAskedAsync(() => Vault.Listings)).TotalSeconds);
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60], pauses);
    }

    [Fact]
    public async Task Rotation_WithinTheHour_TurnsTheRing()
    {
        Vault.Add("a", _bench.Now);
        await _bench.StartKeeperAsync();
        Vault.Add("b", _bench.Now + 1);

        var ran = await _bench.RunUntilAskedAsync(() => Vault.Listings);

        Assert.InRange(ran, Defaults.RefreshEvery * 0.8, Defaults.RefreshEvery * 1.2);
        Assert.Equal(("b", "a"), (Secrets.Ring.Current.Kid, Secrets.Ring.Previous!.Kid));
    }

    [Fact]
    public async Task Refresh_NothingChanged_KeepsTheSameRing()
    {
        Vault.Add("a", _bench.Now);
        await _bench.StartKeeperAsync();
        var ring = Secrets.Ring;

        await _bench.RunUntilAskedAsync(() => Vault.Listings);

        Assert.Same(ring, Secrets.Ring);
    }

    [Fact]
    public async Task NoteUnknownKid_AnyNumberOfTimes_AsksOnceAMinuteAtMost()
    {
        Vault.Add("a", _bench.Now);
        await _bench.StartKeeperAsync();

        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 1000; i++)
            {
                Secrets.NoteUnknownKid();
            }

            Assert.Equal(Defaults.HintsEvery, await _bench.RunUntilAskedAsync(() => Vault.Listings));
        }

        // And none is left over.
        Assert.InRange(await _bench.RunUntilAskedAsync(() => Vault.Listings), Defaults.RefreshEvery * 0.8, Defaults.RefreshEvery * 1.2);
    }

    [Theory]
    [InlineData(403)]
    [InlineData(429)]
    [InlineData(500)]
    public async Task Ring_VaultThatFailsLater_IsKeptWithAWarning(int status)
    {
        Vault.Add("a", _bench.Now);
        await _bench.StartKeeperAsync();
        Vault.Fault = VaultStandIn.Refuse(status, "x", "no");

        await _bench.RunUntilAskedAsync(() => Vault.Listings);

        Assert.Equal("a", Secrets.Ring.Current.Kid);
        Assert.False((await Secrets.LookAsync(TestContext.Current.CancellationToken))!.IsFatal);
        Vault.Fault = null;
        await _bench.RunUntilAskedAsync(() => Vault.Listings);
        Assert.Null(await Secrets.LookAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Ring_VaultAwayForADay_FailsClosedAndComesBack()
    {
        Vault.Add("a", _bench.Now);
        await _bench.StartKeeperAsync(Defaults with { MinRetryAfter = TimeSpan.FromHours(7), MaxRetryAfter = TimeSpan.FromHours(7), Jitter = 0 });
        Vault.Fault = VaultStandIn.Refuse(403, "Forbidden", "no");
        var read = _bench.Time.GetUtcNow();
        for (var asked = 0; asked < 4; asked++)
        {
            Assert.NotNull(Secrets.Ring);
            await _bench.RunUntilAskedAsync(() => Vault.Listings);
        }

        // Asked at 1, 8, 15 and 22 hours, always in vain.
        _bench.Time.AdvanceTo(read + Defaults.MaxAge);
        Assert.NotNull(Secrets.Ring);
        _bench.Time.Advance(TimeSpan.FromTicks(1));
        Assert.Throws<SecretsUnavailableException>(() => Secrets.Ring);
        Assert.True((await Secrets.LookAsync(TestContext.Current.CancellationToken))!.IsFatal);

        Vault.Fault = null;
        await _bench.RunUntilAskedAsync(() => Vault.Listings);
        Assert.Equal("a", Secrets.Ring.Current.Kid);
    }

    [Fact]
    public async Task Ring_NewestVersionIsNotASecret_KeepsTheOldOnes()
    {
        Vault.Add("a", _bench.Now);
        await _bench.StartKeeperAsync();
        Vault.Versions.Add(new StoredVersion("b", "oops", _bench.Now + 1));

        await _bench.RunUntilAskedAsync(() => Vault.Listings);

        Assert.Equal("a", Secrets.Ring.Current.Kid);
        Assert.Contains("Version b ", (await Secrets.LookAsync(TestContext.Current.CancellationToken))!.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WaitAsync_VaultThatHangs_LetsARequestGoAfterAWhile()
    {
        var hangs = new TaskCompletionSource();
        Vault.Fault = _ => hangs.Task;
        var time = _bench.Time;
        using var secrets = new VaultSecrets(
            new VaultReader(_bench.Client(), time), Defaults, time, Microsoft.Extensions.Logging.Abstractions.NullLogger<VaultSecrets>.Instance);
        await secrets.StartAsync(TestContext.Current.CancellationToken);
        var waits = secrets.WaitAsync(TestContext.Current.CancellationToken);
        await VaultBench.PollUntilAsync(() => Vault.Listings == 1);
        Assert.False(waits.IsCompleted);

        time.Advance(Defaults.FirstWithin);
        await waits;
        Assert.Throws<SecretsUnavailableException>(() => secrets.Ring);

        // And the reading itself is given up.
        time.Advance(Defaults.ReadWithin);
        await VaultBench.PollUntilAsync(() => Record.Exception(() => secrets.Ring)!.Message.Contains("does not answer", StringComparison.Ordinal));
        hangs.SetResult();
        await secrets.StopAsync(TestContext.Current.CancellationToken);
    }
}
