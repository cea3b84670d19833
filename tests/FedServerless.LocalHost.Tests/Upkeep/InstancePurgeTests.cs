using FedServerless.Activities.State;
using FedServerless.Gateway.Upkeep;
using FedServerless.LocalHost.Tests.Gateway;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Runs;

namespace FedServerless.LocalHost.Tests.Upkeep;

public sealed class InstancePurgeTests
{
    private static readonly UpkeepOptions _options = new();

    [Fact]
    public async Task Pass_EndedRunOldEnough_ForgetsAllOfItAndStillShowsIt()
    {
        using var bench = await EndedAsync(rounds: 3);
        var before = (await bench.OperateAsync("getRun", "runs/r")).Text;
        bench.Time.Advance(_options.KeepInstancesFor + TimeSpan.FromSeconds(1));

        Assert.Equal(7, await PassAsync(bench));

        Assert.Empty(bench.Workflows.Started);
        Assert.Equal(before, (await bench.OperateAsync("getRun", "runs/r")).Text);
        Assert.Equal(200, (await bench.OperateAsync("getRound", "runs/r/rounds/3")).Status);
        Assert.Equal(204, (await bench.OperateAsync("deleteRun", "runs/r")).Status);
    }

    [Fact]
    public async Task Pass_EndedRunJustYoungEnough_KeepsEverything()
    {
        using var bench = await EndedAsync(rounds: 2);
        bench.Time.Advance(_options.KeepInstancesFor);

        Assert.Equal(0, await PassAsync(bench));
        Assert.Equal(5, bench.Workflows.Started.Count);
    }

    [Fact]
    public async Task Pass_RunThatGoesOn_KeepsTheLastClosedRoundAndWhatIsYoung()
    {
        using var bench = await RunningAsync(rounds: 4);
        bench.Time.Advance(_options.KeepInstancesFor + TimeSpan.FromSeconds(1));
        await CloseAsync(bench, 5);
        bench.Workflows.Phases["r"] = WorkflowPhase.Running;

        Assert.Equal(6, await PassAsync(bench));

        Assert.Equal(["r", "r~e000004", "r~e000005", "r~r000004", "r~r000005"], bench.Workflows.Started.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Pass_SmallWindow_GoesOnWhereItStopped()
    {
        using var bench = await EndedAsync(rounds: 4);
        bench.Time.Advance(_options.KeepInstancesFor + TimeSpan.FromSeconds(1));
        var purge = Purge(bench, 3);

        var gone = new List<int>();
        for (var pass = 0; pass < 4; pass++)
        {
            gone.Add(await purge.RunAsync(bench.Workflows, default));
        }

        Assert.Equal([4, 4, 1, 0], gone);
        Assert.Equal(bench.Workflows.Purged.Count, bench.Workflows.Purged.Distinct().Count());
    }

    [Fact]
    public async Task Pass_AfterEverythingWent_AsksTheEngineNothing()
    {
        using var bench = await EndedAsync(rounds: 1);
        bench.Time.Advance(_options.KeepInstancesFor + TimeSpan.FromSeconds(1));
        await PassAsync(bench);
        bench.Workflows.Purged.Clear();

        await Purge(bench, 500).RunAsync(bench.Workflows, default);

        Assert.Empty(bench.Workflows.Purged);
    }

    [Fact]
    public async Task Pass_AnAttemptStillRuns_IsWokenAndPurgedLater()
    {
        using var bench = await EndedAsync(rounds: 1);
        await bench.Disk.PutBytesAsync(StoreNames.RunRecovery("r", 1), default, PutCondition.CreateOnce, default);
        bench.Workflows.Started.Add("r~1");
        bench.Workflows.Phases["r~1"] = WorkflowPhase.Running;
        bench.Time.Advance(_options.KeepInstancesFor + TimeSpan.FromSeconds(1));

        await PassAsync(bench);
        Assert.Equal(["r~1"], bench.Workflows.Started.ToList());
        Assert.Contains(("r~1", "control"), bench.Workflows.Wakes);
        bench.Workflows.Phases["r~1"] = WorkflowPhase.Completed;
        Assert.Equal(1, await PassAsync(bench));
    }

    [Fact]
    public async Task Pass_TwoAtOnce_LeaveNothing()
    {
        using var bench = await EndedAsync(rounds: 5);
        bench.Time.Advance(_options.KeepInstancesFor + TimeSpan.FromSeconds(1));

        var gone = await Task.WhenAll(PassAsync(bench), Purge(bench, 500).RunAsync(bench.Workflows, default));

        Assert.Equal(11, gone.Sum());
        Assert.Empty(bench.Workflows.Started);
    }

    [Fact]
    public async Task EnrolmentSweep_UsedAndExpiredCodes_GoAfterADay()
    {
        using var bench = new GatewayBench();
        using var alice = new TestDevice("alice");
        var used = await bench.MakeCodeAsync("alice", validForSeconds: 30 * 86_400.0);
        Assert.Equal(200, (await bench.EnrolAsync(alice, used)).Status);
        await bench.MakeCodeAsync("bob", validForSeconds: 60);
        await bench.MakeCodeAsync("carol", validForSeconds: 30 * 86_400.0);

        bench.Time.Advance(EnrolmentSweep.KeepFor);
        Assert.Equal(0, await bench.Get<EnrolmentSweep>().RunAsync(default));
        Assert.Equal(200, (await bench.EnrolAsync(alice, used)).Status);
        bench.Time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(2, await bench.Get<EnrolmentSweep>().RunAsync(default));

        Assert.Single(bench.Disk.Names, name => name.StartsWith(StoreNames.Enrolments, StringComparison.Ordinal));
        Assert.Equal("/problems/enrolment-code", (await bench.EnrolAsync(alice, used)).Problem().Type);
    }

    private static async Task<GatewayBench> RunningAsync(int rounds)
    {
        var bench = new GatewayBench();
        await bench.OperateAsync("createRun", "runs", new CreateRunRequest("r", RoundScene.Spec with { Rounds = 9, Evaluation = null }), WireJson.Default.CreateRunRequest);
        Assert.Equal(200, (await bench.OperateAsync("startRun", "runs/r/start")).Status);
        bench.Workflows.Phase = WorkflowPhase.Completed;
        for (var round = 1; round <= rounds; round++)
        {
            await CloseAsync(bench, round);
        }

        return bench;
    }

    private static async Task<GatewayBench> EndedAsync(int rounds)
    {
        var bench = await RunningAsync(rounds);
        await bench.OperateAsync("stopRun", "runs/r/stop");
        await bench.Activities.DecideStep.RunAsync(new RunProgress("r"), default);
        return bench;
    }

    private static async Task CloseAsync(GatewayBench bench, int round)
    {
        var outcome = new RoundOutcomeDocument(true, null, $"r-r{round}", 2, 2, 2, 0, 0, new Dictionary<string, double>(), round, 0);
        await bench.Disk.CreateOnceAsync(StoreNames.RoundOutcome("r", round), outcome, StoreJson.Default.RoundOutcomeDocument, default);
        bench.Workflows.Started.Add($"r~r{round:D6}");
        bench.Workflows.Started.Add($"r~e{round:D6}");
    }

    private static Task<int> PassAsync(GatewayBench bench) => bench.Get<InstancePurge>().RunAsync(bench.Workflows, default);

    private static InstancePurge Purge(GatewayBench bench, int window) => new(
        bench.Store, new UpkeepOptions { MaxPurgesPerPass = window }, bench.Time, Microsoft.Extensions.Logging.Abstractions.NullLogger<InstancePurge>.Instance);
}
