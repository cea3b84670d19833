using FedServerless.Activities.State;
using FedServerless.Gateway.Upkeep;
using FedServerless.LocalHost.Tests.Gateway;
using FedServerless.Storage;
using FedServerless.Wire;

namespace FedServerless.LocalHost.Tests.Privacy;

/// <summary>What comes too late for a private round's close to remove it. PITFALLS 18.</summary>
public sealed class PrivateTracesTests
{
    private static RunSpec Everybody => PrivacyBench.Private with
    {
        Selection = new SelectionSpec { Kind = Selections.Poisson, Rate = 1, QuarantineAfter = 0 },
        Privacy = new PrivacySpec { Clients = 1000, NoiseMultiplier = 20 },
    };

    [Fact]
    public async Task Commit_AfterThePrivateRoundClosed_KeepsNothingOfWhatItClaims()
    {
        using var scene = await RoundScene.OpenAsync(spec: Everybody);
        await scene.UploadAsync(scene.Alice);
        await CloseAsync(scene);

        var answer = await scene.CommitAsync(scene.Alice);

        Assert.Equal(202, answer.Status);
        var stored = (await scene.Bench.Disk.GetAsync(StoreNames.Receipt("r", 1, "alice"), StoreJson.Default.ReceiptDocument, CancellationToken.None)).Value;
        Assert.True(stored.IsBare);
        Assert.Equal(("", 0L, 1L, 0), (stored.Proof, stored.Receipt.Bytes, stored.Receipt.Samples, stored.Receipt.Metrics.Count));
    }

    [Fact]
    public async Task Commit_BeforeThePrivateRoundClosed_KeepsTheReceipt()
    {
        using var scene = await RoundScene.OpenAsync(spec: Everybody);

        await scene.UploadAndCommitAsync(scene.Alice);

        Assert.False((await scene.Bench.Disk.GetAsync(StoreNames.Receipt("r", 1, "alice"), StoreJson.Default.ReceiptDocument, CancellationToken.None)).Value.IsBare);
        Assert.Equal(RoundScene.HeaderDigest(1), (await scene.MineAsync(scene.Alice)).HeaderDigest);
    }

    // A device that is told of another update than its own drops the residual it keeps; told of none it goes by the state.
    [Fact]
    public async Task Mine_ReceiptIsBare_NamesNoUpdate()
    {
        using var scene = await RoundScene.OpenAsync(spec: Everybody);
        await scene.UploadAndCommitAsync(scene.Alice);
        var name = StoreNames.Receipt("r", 1, "alice");
        var stored = (await scene.Bench.Disk.GetAsync(name, StoreJson.Default.ReceiptDocument, CancellationToken.None)).Value;
        await scene.Bench.Disk.PutAsync(name, stored.Bare(), StoreJson.Default.ReceiptDocument, PutCondition.Overwrite, CancellationToken.None);

        var mine = await scene.MineAsync(scene.Alice);

        Assert.Equal((ReceiptStates.Committed, null), (mine.State, mine.HeaderDigest));
    }

    // A copy of the fold that died between writing and looking whether the round was over.
    [Fact]
    public async Task OrphanSweep_UnNoisedSumAfterTheClose_Goes()
    {
        using var scene = await RoundScene.OpenAsync(spec: Everybody);
        await scene.PutAsync(StoreNames.UnNoisedSum("r", 1, 0, 0));
        var sweeper = new OrphanSweep(scene.Bench.Store, scene.Bench.Time);
        scene.Bench.Time.Advance(OrphanSweep.MinAge + TimeSpan.FromSeconds(1));
        Assert.Equal(0, await sweeper.RunAsync(CancellationToken.None));
        await CloseAsync(scene);

        Assert.Equal(1, await sweeper.RunAsync(CancellationToken.None));

        Assert.DoesNotContain(StoreNames.UnNoisedSum("r", 1, 0, 0), scene.Bench.Disk.Names);
    }

    private static async Task CloseAsync(RoundScene scene)
    {
        await scene.PutAsync(StoreNames.Closing("r", 1));
        var outcome = new RoundOutcomeDocument(true, null, "r-r1", 2, 1, 1, 0, 0, new Dictionary<string, double>(), 1, 0);
        await scene.Bench.Disk.CreateOnceAsync(StoreNames.RoundOutcome("r", 1), outcome, StoreJson.Default.RoundOutcomeDocument, CancellationToken.None);
    }
}
