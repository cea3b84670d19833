using FedServerless.Activities.State;
using FedServerless.Wire;
using FedServerless.Workflows.Rounds;

namespace FedServerless.LocalHost.Tests.Gateway;

public sealed class EvaluationTests
{
    [Fact]
    public async Task CheckIn_Asked_GetsTheLeaseOnceUntilItPosted()
    {
        using var scene = await OpenAsync();

        var lease = (await scene.Bench.CheckInAsync(scene.Alice)).Read(WireJson.Default.CheckInResponse).Evaluate!;
        Assert.Equal(("r", 1, "m", scene.Plan.Base.Digest), (lease.Run, lease.Round, lease.Model, lease.Artifact.Digest));
        Assert.Equal(201, (await PostAsync(scene, scene.Alice)).Status);

        Assert.Null((await scene.Bench.CheckInAsync(scene.Alice)).Read(WireJson.Default.CheckInResponse).Evaluate);
        Assert.Contains((EvaluationWorkflow.InstanceId("r", 1), "quorum"), scene.Bench.Workflows.Wakes);
    }

    [Fact]
    public async Task CheckIn_NotAsked_GetsNone()
    {
        using var scene = await OpenAsync();

        Assert.Null((await scene.Bench.CheckInAsync(scene.Bob)).Read(WireJson.Default.CheckInResponse).Evaluate);
    }

    [Fact]
    public async Task Post_Again_IsTheSameOrAConflict()
    {
        using var scene = await OpenAsync();
        await PostAsync(scene, scene.Alice);

        Assert.Equal(200, (await PostAsync(scene, scene.Alice)).Status);
        Assert.Equal(409, (await PostAsync(scene, scene.Alice, entry => entry with { Samples = 6 })).Status);
    }

    [Fact]
    public async Task Post_AfterClosing_IsLate()
    {
        using var scene = await OpenAsync();
        await scene.PutAsync(StoreNames.EvaluationClosing("r", 1));

        Assert.Equal(202, (await PostAsync(scene, scene.Alice)).Status);
    }

    [Theory]
    [InlineData(-0.0001, 400)]
    [InlineData(0, 201)]
    [InlineData(1, 201)]
    [InlineData(1.0001, 400)]
    [InlineData(1e308, 400)]
    public async Task Post_Accuracy_IsAShare(double accuracy, int status)
    {
        using var scene = await OpenAsync();

        var answer = await PostAsync(scene, scene.Alice, entry => entry with { Metrics = new Dictionary<string, double> { ["accuracy"] = accuracy } });

        Assert.Equal(status, answer.Status);
    }

    [Fact]
    public async Task Post_NotAsked_IsRefused()
    {
        using var scene = await OpenAsync();

        Assert.Equal("/problems/not-yours", (await PostAsync(scene, scene.Bob)).Problem().Type);
    }

    // PITFALLS 51: evaluations are of the published version, not of what a device trained.
    [Fact]
    public async Task Post_AnotherVersion_IsRefused()
    {
        using var scene = await OpenAsync();

        Assert.Equal("/problems/stale-base", (await PostAsync(scene, scene.Alice, entry => entry with { ArtifactDigest = Digest.Of([1]) })).Problem().Type);
    }

    [Fact]
    public async Task Post_NobodyIsAsked_IsNotFound()
    {
        using var scene = await RoundScene.OpenAsync();

        Assert.Equal(404, (await PostAsync(scene, scene.Alice)).Status);
    }

    private static async Task<RoundScene> OpenAsync()
    {
        var scene = await RoundScene.PlanAsync();
        var now = scene.Bench.Time.GetUtcNow();
        var open = new EvaluationOpenDocument(now, now.AddSeconds(60), "m", "v", scene.Plan.Base, scene.Plan.Layout, ["alice"]);
        await scene.Bench.Disk.CreateOnceAsync(StoreNames.EvaluationOpen("r", 1), open, StoreJson.Default.EvaluationOpenDocument, CancellationToken.None);
        await scene.PutAsync(StoreNames.OpenEvaluation("default", "r", 1));
        scene.Board.Ring("default");
        return scene;
    }

    private static Task<Answer> PostAsync(RoundScene scene, TestDevice device, Func<Evaluation, Evaluation>? change = null)
    {
        var entry = new Evaluation(device.Client, "r", 1, scene.Plan.Base.Digest, 5, new Dictionary<string, double> { ["loss"] = 0.5 });
        return scene.Bench.CallAsync(device, "postEvaluation", $"{RoundScene.Round}/evaluations", change?.Invoke(entry) ?? entry, WireJson.Default.Evaluation);
    }
}
