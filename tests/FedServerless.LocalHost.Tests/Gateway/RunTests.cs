using System.Text;
using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;
using FedServerless.Workflows.Runs;

namespace FedServerless.LocalHost.Tests.Gateway;

public sealed class RunTests : IDisposable
{
    private readonly GatewayBench _bench = new();

    [Fact]
    public async Task Create_SameAgain_IsTheSame()
    {
        Assert.Equal(201, (await CreateAsync()).Status);
        Assert.Equal(200, (await CreateAsync()).Status);
    }

    [Fact]
    public async Task Create_SpecWithoutDefaults_IsStoredWithThem()
    {
        var json = """{"id":"r","spec":{"model":"m","rounds":2,"architecture":{"name":"softmax","inputs":4,"outputs":2}}}""";

        var answer = await _bench.OperateAsync("createRun", "runs", Encoding.UTF8.GetBytes(json));

        Assert.Equal(201, answer.Status);
        Assert.Equal((32, "fedavg", 600.0), (View(answer).Spec.Training.BatchSize, View(answer).Spec.Optimizer.Name, View(answer).Spec.Round.DeadlineSeconds));
        Assert.Equal(RunStates.Draft, View(answer).State);
    }

    [Fact]
    public async Task Create_OtherSpec_Conflicts()
    {
        await CreateAsync();

        var answer = await CreateAsync(RoundScene.Spec with { Rounds = 4 });

        Assert.Equal((409, "/problems/other-run"), (answer.Status, answer.Problem().Type));
    }

    [Fact]
    public async Task Create_DryRun_StoresNothing()
    {
        var answer = await _bench.OperateAsync("createRun", "runs", new CreateRunRequest("r", RoundScene.Spec, DryRun: true), WireJson.Default.CreateRunRequest);

        Assert.Equal((200, RunStates.Draft), (answer.Status, View(answer).State));
        Assert.DoesNotContain(_bench.Disk.Names, name => !name.StartsWith(StoreNames.Audit, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Create_EverythingWrong_ListsEverything()
    {
        var spec = RoundScene.Spec with { Rounds = 0, Model = "A", Round = new RoundSpec { Minimum = 0 } };

        var answer = await _bench.OperateAsync("createRun", "runs", new CreateRunRequest("r", spec), WireJson.Default.CreateRunRequest);

        Assert.Equal((400, "/problems/invalid-spec"), (answer.Status, answer.Problem().Type));
        Assert.Superset(new HashSet<string> { "spec.model", "spec.rounds", "spec.round.minimum" }, answer.Problem().Problems!.Select(problem => problem.Field).ToHashSet());
    }

    [Fact]
    public async Task Start_Draft_StartsItOnce()
    {
        await CreateAsync();

        Assert.Equal(200, (await PostAsync("startRun", "start")).Status);
        Assert.Equal(200, (await PostAsync("startRun", "start")).Status);

        Assert.Equal(["r"], _bench.Workflows.Started);
        Assert.Contains(StoreNames.ActiveRun("default", "r"), _bench.Disk.Names);
    }

    [Fact]
    public async Task Start_CrashedAtAnyWrite_IsFinishedByTheSameRequest()
    {
        for (var write = 1; ; write++)
        {
            var hurt = write + 3;
            using var bench = new GatewayBench(wrap: inner => FaultInjectingStore.At(inner, hurt, StoreFault.FailBefore));
            await bench.OperateAsync("createRun", "runs", new CreateRunRequest("r", RoundScene.Spec), WireJson.Default.CreateRunRequest);
            var first = await bench.OperateAsync("startRun", "runs/r/start");

            if (first.Status == 200)
            {
                Assert.Equal(5, write);
                return;
            }

            Assert.Equal(200, (await bench.OperateAsync("startRun", "runs/r/start")).Status);
            Assert.Equal(["r"], bench.Workflows.Started);
        }
    }

    [Fact]
    public async Task Start_NoModelAndNoArchitecture_SaysWhatToDo()
    {
        await CreateAsync(RoundScene.Spec with { Architecture = null });

        var answer = await PostAsync("startRun", "start");

        Assert.Equal(409, answer.Status);
        Assert.Contains("fed model put", answer.Problem().Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("startRun", "start")]
    [InlineData("pauseRun", "pause")]
    [InlineData("resumeRun", "resume")]
    [InlineData("stopRun", "stop")]
    [InlineData("recoverRun", "recover")]
    public async Task Steer_UnknownRun_IsNotFound(string route, string verb) => Assert.Equal(404, (await PostAsync(route, verb)).Status);

    [Theory]
    [InlineData("pauseRun", "pause")]
    [InlineData("resumeRun", "resume")]
    [InlineData("stopRun", "stop")]
    [InlineData("recoverRun", "recover")]
    public async Task Steer_Draft_IsRefused(string route, string verb)
    {
        await CreateAsync();

        Assert.Equal((409, "/problems/wrong-state"), ((await PostAsync(route, verb)) is var answer ? answer.Status : 0, answer.Problem().Type));
    }

    [Theory]
    [InlineData("startRun", "start")]
    [InlineData("pauseRun", "pause")]
    [InlineData("stopRun", "stop")]
    [InlineData("recoverRun", "recover")]
    public async Task Steer_EndedRun_IsRefused(string route, string verb)
    {
        await EndedAsync();

        Assert.Equal(409, (await PostAsync(route, verb)).Status);
    }

    [Fact]
    public async Task Pause_BetweenRounds_IsPausedUntilResumed()
    {
        await CreateAsync();
        await PostAsync("startRun", "start");

        var paused = View(await PostAsync("pauseRun", "pause?reason=tea"));
        var resumed = View(await PostAsync("resumeRun", "resume"));

        Assert.Equal((RunStates.Paused, "tea"), (paused.State, paused.Reason));
        Assert.Equal(RunStates.Running, resumed.State);
        Assert.Equal(2, _bench.Workflows.Wakes.Count(wake => wake == ("r", "control")));
    }

    [Fact]
    public async Task Pause_InARound_PausesAfterIt()
    {
        using var scene = await RoundScene.OpenAsync();

        var view = View(await scene.Bench.OperateAsync("pauseRun", "runs/r/pause"));

        Assert.Equal((RunStates.Running, "pausing after this round", 1), (view.State, view.Reason, view.Round));
    }

    [Theory]
    [InlineData(200, 200)]
    [InlineData(201, 400)]
    public async Task Pause_Reason_IsBounded(int length, int status)
    {
        await CreateAsync();
        await PostAsync("startRun", "start");

        Assert.Equal(status, (await PostAsync("pauseRun", $"pause?reason={new string('x', length)}")).Status);
    }

    [Fact]
    public async Task Stop_OpenRound_WakesItToSeal()
    {
        using var scene = await RoundScene.OpenAsync();

        await scene.Bench.OperateAsync("stopRun", "runs/r/stop");

        Assert.Contains((RoundWorkflow.InstanceId("r", 1), "quorum"), scene.Bench.Workflows.Wakes);
    }

    [Fact]
    public async Task Stop_IsNotTakenBack()
    {
        await CreateAsync();
        await PostAsync("startRun", "start");
        await PostAsync("stopRun", "stop");

        Assert.Equal(409, (await PostAsync("resumeRun", "resume")).Status);
        Assert.Equal(200, (await PostAsync("stopRun", "stop")).Status);
    }

    [Fact]
    public async Task Get_EngineForgotTheRun_SaysHowToRecover()
    {
        await CreateAsync();
        await PostAsync("startRun", "start");
        _bench.Workflows.Started.Clear();

        var view = View(await _bench.OperateAsync("getRun", "runs/r"));

        Assert.Equal(RunStates.Failed, view.State);
        Assert.Contains("fed run recover r", view.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Recover_Twice_EachHasAnInstanceOfItsOwn()
    {
        await CreateAsync();
        await PostAsync("startRun", "start");
        _bench.Workflows.Started.Clear();

        await PostAsync("recoverRun", "recover");
        await PostAsync("recoverRun", "recover");

        Assert.Equal(["r~1", "r~2"], _bench.Workflows.Started);
        var active = await _bench.Disk.GetAsync(StoreNames.ActiveRun("default", "r"), StoreJson.Default.ActiveRunDocument, CancellationToken.None);
        Assert.Equal("r~2", active.Value.Instance);
    }

    [Fact]
    public async Task Get_WorkflowFailed_ShowsIt()
    {
        await CreateAsync();
        await PostAsync("startRun", "start");
        _bench.Workflows.Phase = WorkflowPhase.Failed;

        Assert.Equal(RunStates.Failed, View(await _bench.OperateAsync("getRun", "runs/r")).State);
    }

    [Fact]
    public async Task Get_WaitingForClients_SaysSo()
    {
        await CreateAsync();
        await PostAsync("startRun", "start");
        _bench.Workflows.Status = "waiting for clients: 0 of 2 seen lately";

        Assert.Equal(RunStates.WaitingForClients, View(await _bench.OperateAsync("getRun", "runs/r")).State);
    }

    [Fact]
    public async Task Delete_RunningRun_IsRefused()
    {
        await CreateAsync();
        await PostAsync("startRun", "start");

        Assert.Equal(409, (await _bench.OperateAsync("deleteRun", "runs/r")).Status);
    }

    [Fact]
    public async Task Delete_EndedRun_LeavesNothingOfItButItsModels()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.UploadAndCommitAsync(scene.Alice);
        await EndAsync(scene.Bench);

        Assert.Equal(204, (await scene.Bench.OperateAsync("deleteRun", "runs/r")).Status);

        Assert.DoesNotContain(scene.Bench.Disk.Names, name => name.StartsWith("runs/", StringComparison.Ordinal) || name.StartsWith("updates/", StringComparison.Ordinal) || name.StartsWith("run-index/", StringComparison.Ordinal));
        Assert.Contains(scene.Bench.Disk.Names, name => name.StartsWith("models/m/", StringComparison.Ordinal));
        Assert.Contains("r", scene.Bench.Workflows.Purged);
        Assert.Equal(404, (await scene.Bench.OperateAsync("deleteRun", "runs/r")).Status);
    }

    [Fact]
    public async Task Delete_AndMadeAnew_KnowsNothingOfWhoWasDone()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.Bench.CheckInAsync(scene.Alice);
        await scene.UploadAndCommitAsync(scene.Alice);
        await EndAsync(scene.Bench);
        Assert.Equal(204, (await scene.Bench.OperateAsync("deleteRun", "runs/r")).Status);

        var none = CancellationToken.None;
        await scene.Bench.OperateAsync("createRun", "runs", new CreateRunRequest("r", RoundScene.Spec), WireJson.Default.CreateRunRequest);
        await scene.Bench.OperateAsync("startRun", "runs/r/start");
        await scene.Bench.Activities.DecideStep.RunAsync(new RunProgress("r"), none);
        await scene.Bench.Activities.OpenRound.RunAsync(RoundScene.Input, none);

        Assert.NotNull((await scene.Bench.CheckInAsync(scene.Alice)).Read(WireJson.Default.CheckInResponse).Train);
    }

    [Fact]
    public async Task Delete_WorkflowStillRuns_WaitsForItsEnd()
    {
        using var scene = await RoundScene.OpenAsync();
        await EndAsync(scene.Bench);
        scene.Bench.Workflows.Phase = WorkflowPhase.Running;

        var early = await scene.Bench.OperateAsync("deleteRun", "runs/r");
        Assert.Equal((409, "/problems/wrong-state"), (early.Status, early.Problem().Type));
        Assert.Empty(scene.Bench.Workflows.Purged);

        scene.Bench.Workflows.Phase = WorkflowPhase.Completed;
        Assert.Equal(204, (await scene.Bench.OperateAsync("deleteRun", "runs/r")).Status);
    }

    [Theory]
    [InlineData("r-r1", 409)]
    [InlineData("r-r10", 409)]
    [InlineData("r-retry-r1", 201)]
    [InlineData("init-0123456789ab", 201)]
    public async Task Create_IdOfADeletedRunWithVersions_IsRefused(string version, int status)
    {
        await _bench.Disk.PutBytesAsync(StoreNames.Weights("m", version), new byte[1], PutCondition.CreateOnce, CancellationToken.None);

        Assert.Equal(status, (await CreateAsync()).Status);
    }

    [Fact]
    public async Task Create_SameAgainAfterItPublished_IsTheSame()
    {
        await CreateAsync();
        await _bench.Disk.PutBytesAsync(StoreNames.Weights("m", "r-r1"), new byte[1], PutCondition.CreateOnce, CancellationToken.None);

        Assert.Equal(200, (await CreateAsync()).Status);
    }

    [Fact]
    public async Task Delete_CrashedAtAnyDelete_IsFinishedByTheSameRequest()
    {
        for (var number = 1; ; number++)
        {
            var deletes = 0;
            var hurt = number;
            var armed = false;
            using var scene = await RoundScene.OpenAsync(inner => new FaultInjectingStore(
                inner, write => armed && write.Kind == StoreWriteKind.Delete && ++deletes == hurt ? StoreFault.FailBefore : StoreFault.None));
            await EndAsync(scene.Bench);
            armed = true;
            var first = await scene.Bench.OperateAsync("deleteRun", "runs/r");
            if (first.Status == 204)
            {
                Assert.True(number > 5);
                return;
            }

            var state = await scene.Bench.OperateAsync("getRun", "runs/r");
            Assert.True(state.Status == 404 || View(state).State is RunStates.Completed or RunStates.Draft);
            Assert.True((await scene.Bench.OperateAsync("deleteRun", "runs/r")).Status is 204 or 404);
            Assert.DoesNotContain(scene.Bench.Disk.Names, name => name.StartsWith("runs/", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task List_Runs_AreInOrder()
    {
        foreach (var id in (string[])["b", "a-1", "a"])
        {
            await _bench.OperateAsync("createRun", "runs", new CreateRunRequest(id, RoundScene.Spec), WireJson.Default.CreateRunRequest);
        }

        var runs = (await _bench.OperateAsync("listRuns", "runs")).Read(WireJson.Default.ListingRunView);

        Assert.Equal(["a", "a-1", "b"], runs.Items.Select(run => run.Id));
    }

    [Fact]
    public async Task Rounds_OpenRound_ShowsWhatCameIn()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.UploadAndCommitAsync(scene.Alice);

        var round = (await scene.Bench.OperateAsync("getRound", "runs/r/rounds/1")).Read(WireJson.Default.RoundView);

        Assert.Equal(("open", 2, 1), (round.State, round.Cohort, round.Receipts));
        Assert.Equal(404, (await scene.Bench.OperateAsync("getRound", "runs/r/rounds/2")).Status);
        Assert.Single((await scene.Bench.OperateAsync("listRounds", "runs/r/rounds")).Read(WireJson.Default.ListingRoundView).Items);
        Assert.Empty((await scene.Bench.OperateAsync("listRounds", "runs/r/rounds?after=1")).Read(WireJson.Default.ListingRoundView).Items);
    }

    [Fact]
    public async Task RoundClients_SealedRound_SaysWhatEachClaims()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.UploadAndCommitAsync(scene.Alice);
        await scene.UploadAndCommitAsync(scene.Bob);
        Assert.Empty((await ListClientsAsync(scene)).Items);
        await scene.Bench.Activities.SealRound.RunAsync(RoundScene.Input, CancellationToken.None);
        var accepted = new AcceptedDocument([new AcceptedUpdate("alice", RoundScene.HeaderDigest(1), 1, 1)], [new Refusal("bob", "NaN")]);
        await scene.Bench.Disk.CreateOnceAsync(StoreNames.Accepted("r", 1), accepted, StoreJson.Default.AcceptedDocument, CancellationToken.None);

        var clients = (await ListClientsAsync(scene)).Items;

        Assert.Equal([("alice", true, null, 10L, 0.5), ("bob", false, "NaN", 10L, 0.5)], clients.Select(client => (client.Client, client.Included, client.Reason, client.Samples, client.Metrics["loss"])));
        Assert.Equal("bob", Assert.Single((await ListClientsAsync(scene, "?after=alice")).Items).Client);
        Assert.Equal(404, (await scene.Bench.OperateAsync("listRoundClients", "runs/r/rounds/2/clients")).Status);

        static async Task<Listing<RoundClientView>> ListClientsAsync(RoundScene scene, string query = "") =>
            (await scene.Bench.OperateAsync("listRoundClients", $"runs/r/rounds/1/clients{query}")).Read(WireJson.Default.ListingRoundClientView);
    }

    [Fact]
    public async Task RoundClients_PrivateRound_SaysNothing()
    {
        using var scene = await RoundScene.OpenAsync();
        var name = StoreNames.Plan("r", 1);
        var terms = new PrivacyTerms { Sampling = FedServerless.Privacy.ClientSampling.AllClients, SamplingRate = 1, Clients = 100, NoiseMultiplier = 1, Delta = 1e-5, Clip = 1 };
        await scene.Bench.Disk.PutAsync(name, scene.Plan with { Privacy = new RoundPrivacy(1, 12, terms) }, StoreJson.Default.RoundPlan, PutCondition.Overwrite, CancellationToken.None);

        Assert.Equal(409, (await scene.Bench.OperateAsync("listRoundClients", "runs/r/rounds/1/clients")).Status);
    }

    [Fact]
    public async Task Log_Pages_ContinueWhereTheyEnded()
    {
        using var scene = await RoundScene.OpenAsync();

        var all = (await scene.Bench.OperateAsync("getRunLog", "runs/r/log")).Read(WireJson.Default.LogPage);
        var rest = (await scene.Bench.OperateAsync("getRunLog", "runs/r/log?after=1")).Read(WireJson.Default.LogPage);
        var none = (await scene.Bench.OperateAsync("getRunLog", $"runs/r/log?after={all.Next}")).Read(WireJson.Default.LogPage);

        Assert.Equal(Enumerable.Range(1, all.Entries.Count), all.Entries.Select(entry => entry.Number));
        Assert.Equal("runStarted", all.Entries[0].Kind);
        Assert.Equal(all.Entries.Skip(1).Select(entry => entry.Message), rest.Entries.Select(entry => entry.Message));
        Assert.Equal((0, all.Next), (none.Entries.Count, none.Next));
    }

    [Fact]
    public async Task Log_NothingNew_IsNotSentAgain()
    {
        using var scene = await RoundScene.OpenAsync();
        var tag = (await scene.Bench.OperateAsync("getRunLog", "runs/r/log")).Headers["ETag"];

        Assert.Equal(304, (await scene.Bench.OperateAsync("getRunLog", "runs/r/log", null, ("If-None-Match", tag))).Status);
        Assert.Equal(400, (await scene.Bench.OperateAsync("getRunLog", "runs/r/log?after=-1")).Status);
    }

    public void Dispose() => _bench.Dispose();

    private static RunView View(Answer answer)
    {
        Assert.True(answer.Status is 200 or 201, answer.Text);
        return answer.Read(WireJson.Default.RunView);
    }

    private static Task<Stored<RunOutcomeDocument>> EndAsync(GatewayBench bench)
    {
        bench.Workflows.Phase = WorkflowPhase.Completed;
        return bench.Disk.CreateOnceAsync(
            StoreNames.RunOutcome("r"), new RunOutcomeDocument(RunStates.Completed, "done", 1, 1, null), StoreJson.Default.RunOutcomeDocument, CancellationToken.None);
    }

    private async Task EndedAsync()
    {
        await CreateAsync();
        await PostAsync("startRun", "start");
        await EndAsync(_bench);
    }

    private Task<Answer> CreateAsync(RunSpec? spec = null) =>
        _bench.OperateAsync("createRun", "runs", new CreateRunRequest("r", spec ?? RoundScene.Spec), WireJson.Default.CreateRunRequest);

    private Task<Answer> PostAsync(string route, string verb) => _bench.OperateAsync(route, $"runs/r/{verb}");
}
