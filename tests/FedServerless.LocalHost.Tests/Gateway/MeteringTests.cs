using System.Text;
using System.Text.Json.Nodes;
using FedServerless.Activities.Metering;
using FedServerless.Activities.State;
using FedServerless.Capacity;
using FedServerless.Storage;
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
    public async Task CheckIn_EncodedModelWithCopies_FetchesTheClientsOwn()
    {
        using var scene = await RoundScene.OpenAsync(spec: RoundScene.Spec with
        {
            Update = RoundScene.Spec.Update with { ModelCopies = 3 },
            Download = new DownloadSpec { Encodings = ["int8"] },
        });
        var request = new CheckInRequest(DeviceApi.Version, "test/1") { Reads = ["int8"] };

        var answer = await scene.Bench.CallAsync(scene.Alice, "checkIn", "check-in", request, WireJson.Default.CheckInRequest);

        var step = Assert.Single(answer.Read(WireJson.Default.CheckInResponse).Train!.Via!);
        var copy = StoreNames.DownloadCopy(RoundScene.Run, 1, ModelReplicas.Of("alice", 3), step.Digest);
        Assert.StartsWith($"/blobs/{copy}?", step.Url, StringComparison.Ordinal);
        Assert.Equal(step.Digest, Digest.Of(scene.Bench.Disk.Peek(copy)!));
    }

    // A round that a host of an earlier version opened: its plan says nothing of copies of encoded files, and there are none.
    [Fact]
    public async Task CheckIn_PlanFromBeforeEncodedFilesHadCopies_FetchesTheFileItself()
    {
        using var scene = await RoundScene.PlanAsync(spec: RoundScene.Spec with
        {
            Update = RoundScene.Spec.Update with { ModelCopies = 3 },
            Download = new DownloadSpec { Encodings = ["int8"] },
        });
        var name = StoreNames.Plan(RoundScene.Run, 1);
        var plan = JsonNode.Parse(scene.Bench.Disk.Peek(name)!)!.AsObject();
        Assert.True(plan.Remove("downloadCopies"));
        await scene.Bench.Disk.PutBytesAsync(name, Encoding.UTF8.GetBytes(plan.ToJsonString()), PutCondition.Overwrite, CancellationToken.None);
        await scene.Bench.Activities.OpenRound.RunAsync(RoundScene.Input, CancellationToken.None);
        var request = new CheckInRequest(DeviceApi.Version, "test/1") { Reads = ["int8"] };

        var answer = await scene.Bench.CallAsync(scene.Alice, "checkIn", "check-in", request, WireJson.Default.CheckInRequest);

        var url = Assert.Single(answer.Read(WireJson.Default.CheckInResponse).Train!.Via!).Url;
        Assert.Contains("/downloads/", url, StringComparison.Ordinal);
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
