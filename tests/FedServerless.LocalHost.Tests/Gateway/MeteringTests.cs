using FedServerless.Activities.Metering;
using FedServerless.Activities.State;
using FedServerless.Capacity;
using FedServerless.Wire;

namespace FedServerless.LocalHost.Tests.Gateway;

public sealed class MeteringTests
{
    [Fact]
    public async Task Requests_OfTheRoundsDevices_AreAboutWhatIsForecast()
    {
        using var scene = await RoundScene.OpenAsync();
        var before = await UsageAsync(scene, 1);
        scene.Bench.Time.Advance(TimeSpan.FromMinutes(5));
        foreach (var device in new[] { scene.Alice, scene.Bob })
        {
            await scene.Bench.CheckInAsync(device);
            await scene.UploadAndCommitAsync(device);
            await scene.MineAsync(device);
        }

        var after = await UsageAsync(scene, 1);

        // The forecast also has what is read once the round is sealed, and keys that this host remembers. Not in it is what a host does
        // every few seconds or once a minute however many ask: looking at the board, reading the plan, noting presence.
        var each = RoundForecast.Devices(new RoundQuantities(new RoundSize(1, 1, 1, 1, 1, 1, 1), ReductionPlan.Choose(new RoundSize(1, 1, 1, 1, 1, 1, 1)))).Usage;
        Assert.InRange(after.Lists - before.Lists, 2 * each.Lists, (2 * each.Lists) + 4);
        Assert.InRange(after.Reads - before.Reads, each.Reads, 3 * each.Reads);
        Assert.InRange(after.Writes - before.Writes, 2 * each.Writes, (2 * each.Writes) + 2);
        Assert.Equal(2 * each.Executions, after.Executions - before.Executions);
    }

    [Fact]
    public async Task Requests_OfADeviceThatWasNotSelected_CountForNoRound()
    {
        using var scene = await RoundScene.OpenAsync();
        var before = await UsageAsync(scene, 1);

        await scene.AskAsync(scene.Carol);
        await scene.AskAsync(scene.Carol, round: "runs/other/rounds/7");

        Assert.Equal(before.Executions, (await UsageAsync(scene, 1)).Executions);
        Assert.Equal(ResourceUsage.None, await scene.Bench.Get<UsageBook>().OfRoundAsync("other", 7, CancellationToken.None));
    }

    [Fact]
    public async Task CheckIn_ModelWithCopies_FetchesTheClientsOwn()
    {
        using var scene = await RoundScene.OpenAsync(spec: RoundScene.Spec with { Update = RoundScene.Spec.Update with { ModelCopies = 3 } });

        var lease = (await scene.Bench.CheckInAsync(scene.Alice)).Read(WireJson.Default.CheckInResponse).Train!;

        var copy = StoreNames.ModelCopy(RoundScene.Run, 1, ModelReplicas.Of("alice", 3));
        Assert.StartsWith($"/blobs/{copy}?", lease.Base.Url, StringComparison.Ordinal);
        Assert.Equal(scene.Plan.Base.Digest, lease.Base.Digest);
        Assert.Equal(scene.Plan.Base.Digest, Digest.Of(scene.Bench.Disk.Peek(copy)!));
    }

    [Fact]
    public async Task GetRun_Started_ShowsWhatItCostSoFar()
    {
        using var scene = await RoundScene.OpenAsync();

        var view = (await scene.Bench.OperateAsync("getRun", $"runs/{RoundScene.Run}")).Read(WireJson.Default.RunView);

        Assert.True(view.Cost!.Amount > 0);
        Assert.Equal("USD", view.Cost.Currency);
        Assert.True(view.Cost.Usage.Requests > 0);
    }

    private static Task<ResourceUsage> UsageAsync(RoundScene scene, int round) =>
        scene.Bench.Get<UsageBook>().OfRoundAsync(RoundScene.Run, round, CancellationToken.None);
}
