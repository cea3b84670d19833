using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Gateway.Upkeep;
using FedServerless.LocalHost.Tests.Gateway;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Runs;

namespace FedServerless.LocalHost.Tests.Upkeep;

public sealed class RunWatchdogTests
{
    private static readonly UpkeepOptions _options = new();

    [Fact]
    public async Task Look_InstanceUnknown_IsExplainedAndRecoveredOnTheSecondLook()
    {
        using var scene = await RoundScene.OpenAsync();
        scene.Bench.Workflows.Started.Clear();

        Assert.Equal(0, await LookAsync(scene.Bench));
        scene.Bench.Time.Advance(_options.ConfirmAfter);
        Assert.Equal(1, await LookAsync(scene.Bench));

        Assert.Equal(["r~1"], scene.Bench.Workflows.Started);
        var entry = Assert.Single(await EntriesAsync(scene.Bench));
        Assert.Contains("the engine does not know its workflow", entry.Message, StringComparison.Ordinal);
        Assert.Equal("r~1", (await scene.Bench.Disk.GetAsync(StoreNames.ActiveRun("default", "r"), StoreJson.Default.ActiveRunDocument, default)).Value.Instance);
    }

    [Fact]
    public async Task Look_JustBeforeConfirmation_DoesNothingYet()
    {
        using var scene = await RoundScene.OpenAsync();
        scene.Bench.Workflows.Started.Clear();

        await LookAsync(scene.Bench);
        scene.Bench.Time.Advance(_options.ConfirmAfter - TimeSpan.FromTicks(1));

        Assert.Equal(0, await LookAsync(scene.Bench));
        Assert.Empty(scene.Bench.Workflows.Started);
    }

    [Theory]
    [InlineData(WorkflowPhase.Failed, "its workflow failed: it broke")]
    [InlineData(WorkflowPhase.Completed, "its workflow ended without an outcome of the run")]
    public async Task Look_WorkflowOverWithoutOutcome_IsRecovered(WorkflowPhase phase, string because)
    {
        using var scene = await RoundScene.OpenAsync();
        scene.Bench.Workflows.Phases["r"] = phase;

        await LookAsync(scene.Bench);
        scene.Bench.Time.Advance(_options.ConfirmAfter);
        Assert.Equal(1, await LookAsync(scene.Bench));

        Assert.Contains("r~1", scene.Bench.Workflows.Started);
        Assert.Contains(because, Assert.Single(await EntriesAsync(scene.Bench)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Look_StartDiedAtAnyWrite_IsCompleted(int write)
    {
        using var bench = new GatewayBench(wrap: inner => FaultInjectingStore.At(inner, write + 3, StoreFault.FailBefore));
        await bench.OperateAsync("createRun", "runs", new CreateRunRequest("r", RoundScene.Spec), WireJson.Default.CreateRunRequest);
        await bench.OperateAsync("startRun", "runs/r/start");
        bench.Workflows.Started.Clear();

        await LookAsync(bench);
        bench.Time.Advance(_options.ConfirmAfter);
        await LookAsync(bench);

        Assert.Equal(["r~1"], bench.Workflows.Started);
        Assert.Equal(200, (await bench.OperateAsync("pauseRun", "runs/r/pause")).Status);
    }

    [Fact]
    public async Task Look_Draft_IsLeftAlone()
    {
        using var bench = new GatewayBench();
        await bench.OperateAsync("createRun", "runs", new CreateRunRequest("r", RoundScene.Spec), WireJson.Default.CreateRunRequest);
        var before = bench.Disk.Names.ToList();

        await LookLongAsync(bench, TimeSpan.FromHours(2));

        Assert.Empty(bench.Workflows.Started);
        Assert.Equal(before, bench.Disk.Names);
    }

    [Fact]
    public async Task Look_CollectingUntilTheDeadline_IsNotStuck()
    {
        using var scene = await RoundScene.OpenAsync(spec: RoundScene.Spec with { Round = new RoundSpec { Minimum = 2, Quorum = 2, DeadlineSeconds = 7200 } });

        await LookLongAsync(scene.Bench, TimeSpan.FromSeconds(7200));

        Assert.Equal(["r"], scene.Bench.Workflows.Started);
        Assert.DoesNotContain(StoreNames.RunWatch("r"), scene.Bench.Disk.Names);
    }

    [Fact]
    public async Task Look_NothingNewLongAfterTheDeadline_IsStuck()
    {
        using var scene = await RoundScene.OpenAsync();
        scene.Bench.Time.Advance(TimeSpan.FromSeconds(601));

        await LookAsync(scene.Bench);
        Assert.Contains(("r~r000001", "quorum"), scene.Bench.Workflows.Wakes);
        scene.Bench.Time.Advance(_options.StuckAfter - TimeSpan.FromTicks(1));
        Assert.Equal(0, await LookAsync(scene.Bench));
        scene.Bench.Time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(1, await LookAsync(scene.Bench));

        Assert.Contains("round 1 does not go on", Assert.Single(await EntriesAsync(scene.Bench)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Look_RoundMovesAfterTheDeadline_IsNotStuck()
    {
        using var scene = await RoundScene.OpenAsync();
        scene.Bench.Time.Advance(TimeSpan.FromSeconds(601));
        string[] steps = [StoreNames.Closing("r", 1), StoreNames.Seal("r", 1), StoreNames.Verdicts("r", 1, 0), StoreNames.Accepted("r", 1)];

        foreach (var step in steps)
        {
            await LookAsync(scene.Bench);
            scene.Bench.Time.Advance(_options.StuckAfter - TimeSpan.FromSeconds(1));
            await scene.PutAsync(step);
        }

        Assert.Equal(0, await LookAsync(scene.Bench));
        Assert.Equal(["r"], scene.Bench.Workflows.Started);
    }

    [Fact]
    public async Task Look_OnlyLateReceiptsAfterTheDeadline_IsStuckAllTheSame()
    {
        using var scene = await RoundScene.OpenAsync();
        scene.Bench.Time.Advance(TimeSpan.FromSeconds(601));
        await LookAsync(scene.Bench);
        scene.Bench.Time.Advance(_options.StuckAfter);

        await scene.PutAsync(StoreNames.Receipt("r", 1, "alice"));

        Assert.Equal(1, await LookAsync(scene.Bench));
    }

    [Fact]
    public async Task Look_EvaluationPastItsDeadlineUnsealed_IsStuck()
    {
        using var scene = await RoundScene.OpenAsync();
        await CloseAsync(scene.Bench, 1);
        var now = scene.Bench.Time.GetUtcNow();
        var open = new EvaluationOpenDocument(now, now.AddSeconds(60), "m", "r-r1", scene.Plan.Base, scene.Plan.Layout, ["alice"]);
        await scene.Bench.Disk.CreateOnceAsync(StoreNames.EvaluationOpen("r", 1), open, StoreJson.Default.EvaluationOpenDocument, default);

        scene.Bench.Time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(0, await LookAsync(scene.Bench));
        Assert.DoesNotContain(StoreNames.RunWatch("r"), scene.Bench.Disk.Names);
        scene.Bench.Time.Advance(TimeSpan.FromSeconds(1));
        await LookAsync(scene.Bench);
        scene.Bench.Time.Advance(_options.StuckAfter);
        Assert.Equal(1, await LookAsync(scene.Bench));
    }

    [Fact]
    public async Task Look_WaitingForClients_IsNotStuck()
    {
        using var bench = await StartedAsync();

        await LookLongAsync(bench, TimeSpan.FromHours(3));

        Assert.Equal(["r"], bench.Workflows.Started);
        Assert.Empty(await EntriesAsync(bench));
    }

    [Fact]
    public async Task Look_PausedWithClientsThere_IsNotStuck()
    {
        using var bench = await StartedAsync();
        using var alice = await bench.DeviceAsync("alice");
        using var bob = await bench.DeviceAsync("bob");
        await bench.OperateAsync("pauseRun", "runs/r/pause");

        for (var minute = 0; minute < 60; minute++)
        {
            await bench.CheckInAsync(alice);
            await bench.CheckInAsync(bob);
            await LookAsync(bench);
            bench.Time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(["r"], bench.Workflows.Started);
    }

    [Fact]
    public async Task Look_ClientsThereAndNoRoundBegins_IsStuck()
    {
        using var bench = await StartedAsync();
        using var alice = await bench.DeviceAsync("alice");
        using var bob = await bench.DeviceAsync("bob");

        for (var minute = 0; minute <= 16; minute++)
        {
            await bench.CheckInAsync(alice);
            await bench.CheckInAsync(bob);
            await LookAsync(bench);
            bench.Time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(["r", "r~1"], bench.Workflows.Started.Order());
        Assert.Contains("round 1 does not begin", Assert.Single(await EntriesAsync(bench)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Look_HealthyAgain_ForgetsWhatItSaw()
    {
        using var scene = await RoundScene.OpenAsync();
        scene.Bench.Workflows.Started.Clear();
        await LookAsync(scene.Bench);
        Assert.Contains(StoreNames.RunWatch("r"), scene.Bench.Disk.Names);

        scene.Bench.Workflows.Started.Add("r");
        await LookAsync(scene.Bench);

        Assert.DoesNotContain(StoreNames.RunWatch("r"), scene.Bench.Disk.Names);
        Assert.Empty(await EntriesAsync(scene.Bench));
    }

    [Fact]
    public async Task Look_TwoWatchdogsAtOnce_RecoverOnce()
    {
        using var scene = await RoundScene.OpenAsync();
        scene.Bench.Workflows.Started.Clear();
        var second = Watchdog(scene.Bench);
        await Task.WhenAll(LookAsync(scene.Bench), second.RunAsync(scene.Bench.Workflows, default));
        scene.Bench.Time.Advance(_options.ConfirmAfter);

        var recovered = await Task.WhenAll(LookAsync(scene.Bench), second.RunAsync(scene.Bench.Workflows, default));

        Assert.Equal(1, recovered.Sum());
        Assert.Equal(["r~1"], scene.Bench.Workflows.Started);
        Assert.Single(await EntriesAsync(scene.Bench));
    }

    [Fact]
    public async Task Look_RecoveredInVainAgainAndAgain_GivesUpAfterFiveAndSaysSo()
    {
        using var scene = await RoundScene.OpenAsync();
        scene.Bench.Workflows.Phase = WorkflowPhase.Failed;

        await LookLongAsync(scene.Bench, TimeSpan.FromHours(12));

        Assert.Equal(["r", "r~1", "r~2", "r~3", "r~4", "r~5"], scene.Bench.Workflows.Started.Order(StringComparer.Ordinal));
        var view = (await scene.Bench.OperateAsync("getRun", "runs/r")).Read(WireJson.Default.RunView);
        Assert.Equal(RunStates.Failed, view.State);
        Assert.Equal("watchdog gave up after 5 recoveries: its workflow failed: it broke; fed run recover r tries again", view.Reason);
        var entries = await EntriesAsync(scene.Bench);
        Assert.Equal(6, entries.Count);
        Assert.Contains("needs an operator", entries[^1].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Look_GaveUpAndOperatorRecovered_WatchesAgain()
    {
        using var scene = await RoundScene.OpenAsync();
        scene.Bench.Workflows.Phase = WorkflowPhase.Failed;
        await LookLongAsync(scene.Bench, TimeSpan.FromHours(12));

        Assert.Equal(200, (await scene.Bench.OperateAsync("recoverRun", "runs/r/recover")).Status);
        Assert.Contains("r~6", scene.Bench.Workflows.Started);
        await LookLongAsync(scene.Bench, TimeSpan.FromHours(12));

        Assert.Contains("r~11", scene.Bench.Workflows.Started);
        Assert.DoesNotContain("r~12", scene.Bench.Workflows.Started);
    }

    [Fact]
    public async Task Look_ARoundClosesBetweenRecoveries_KeepsToTheHourlyLimit()
    {
        using var scene = await RoundScene.OpenAsync();
        scene.Bench.Workflows.Phase = WorkflowPhase.Failed;

        for (var minute = 0; minute < 60; minute++)
        {
            await LookAsync(scene.Bench);
            if (minute % 2 == 1)
            {
                await CloseAsync(scene.Bench, (minute / 2) + 1);
            }

            scene.Bench.Time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(1 + _options.MaxRecoveriesPerHour, scene.Bench.Workflows.Started.Count);
    }

    [Fact]
    public async Task Look_AttemptsOfAnOlderVersion_CountAsTheOperators()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.PutAsync(StoreNames.RunRecovery("r", 1));

        await LookAsync(scene.Bench);
        scene.Bench.Time.Advance(_options.ConfirmAfter);

        Assert.Equal(1, await LookAsync(scene.Bench));
        Assert.Contains("r~2", scene.Bench.Workflows.Started);
    }

    [Fact]
    public async Task Look_OneRunUnreadable_LooksAfterTheOthers()
    {
        using var scene = await RoundScene.OpenAsync();
        scene.Bench.Workflows.Started.Clear();
        await scene.PutAsync(StoreNames.RunIndex + "a");
        await scene.PutAsync(StoreNames.Run("a"));

        await LookAsync(scene.Bench);
        scene.Bench.Time.Advance(_options.ConfirmAfter);

        Assert.Equal(1, await LookAsync(scene.Bench));
    }

    [Fact]
    public async Task Entries_AmongTheRoundsOwn_SortAfterWhatIsThereAndBeforeWhatComes()
    {
        using var scene = await RoundScene.OpenAsync();
        scene.Bench.Workflows.Started.Clear();
        await LookAsync(scene.Bench);
        scene.Bench.Time.Advance(_options.ConfirmAfter);
        await LookAsync(scene.Bench);
        var before = await KindsAsync(scene.Bench);

        var log = new RunLog(scene.Bench.Disk, scene.Bench.Time);
        await log.WriteAsync("r", 1, LogKind.RoundSealed, "sealed", null, null, default);
        await log.WriteAsync("r", 2, LogKind.RoundPlanned, "planned", null, null, default);

        Assert.Equal("watchdog", before[^1]);
        Assert.Equal([.. before, "roundSealed", "roundPlanned"], await KindsAsync(scene.Bench));
    }

    [Fact]
    public async Task Look_EndedRun_CostsNothingFromTheSecondLookOn()
    {
        var counting = default(CountingStore);
        using var bench = new GatewayBench(wrap: inner => counting = new CountingStore(inner));
        await bench.OperateAsync("createRun", "runs", new CreateRunRequest("r", RoundScene.Spec), WireJson.Default.CreateRunRequest);
        await bench.OperateAsync("startRun", "runs/r/start");
        await bench.OperateAsync("stopRun", "runs/r/stop");
        await bench.Activities.DecideStep.RunAsync(new RunProgress("r"), default);
        await LookAsync(bench);

        var before = counting!.Operations;
        await LookAsync(bench);

        Assert.Equal(1, counting.Operations - before);
    }

    private static async Task<GatewayBench> StartedAsync()
    {
        var bench = new GatewayBench();
        await bench.OperateAsync("createRun", "runs", new CreateRunRequest("r", RoundScene.Spec), WireJson.Default.CreateRunRequest);
        Assert.Equal(200, (await bench.OperateAsync("startRun", "runs/r/start")).Status);
        return bench;
    }

    private static RunWatchdog Watchdog(GatewayBench bench) => new(
        bench.Store, bench.Get<Activities.IPresence>(), bench.Get<FedServerless.Gateway.Runs.RunRecovery>(), new UpkeepOptions(), bench.Time,
        Microsoft.Extensions.Logging.Abstractions.NullLogger<RunWatchdog>.Instance);

    private static Task<int> LookAsync(GatewayBench bench) => bench.Get<RunWatchdog>().RunAsync(bench.Workflows, default);

    private static async Task LookLongAsync(GatewayBench bench, TimeSpan during)
    {
        for (var passed = TimeSpan.Zero; passed <= during; passed += TimeSpan.FromMinutes(5))
        {
            await LookAsync(bench);
            bench.Time.Advance(passed == during ? TimeSpan.Zero : TimeSpan.FromMinutes(5));
        }
    }

    private static async Task CloseAsync(GatewayBench bench, int round)
    {
        var outcome = new RoundOutcomeDocument(true, null, $"r-r{round}", 2, 2, 2, 0, 0, new Dictionary<string, double>(), 1, 0);
        await bench.Disk.CreateOnceAsync(StoreNames.RoundOutcome("r", round), outcome, StoreJson.Default.RoundOutcomeDocument, default);
    }

    private static async Task<List<LogEntry>> EntriesAsync(GatewayBench bench) =>
        [.. (await PageAsync(bench)).Where(entry => entry.Kind == "watchdog")];

    private static async Task<List<string>> KindsAsync(GatewayBench bench) => [.. (await PageAsync(bench)).Select(entry => entry.Kind)];

    private static async Task<IReadOnlyList<LogEntry>> PageAsync(GatewayBench bench) =>
        (await bench.OperateAsync("getRunLog", "runs/r/log")).Read(WireJson.Default.LogPage).Entries;
}
