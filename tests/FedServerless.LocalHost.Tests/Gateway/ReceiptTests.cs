using FedServerless.Activities.State;
using FedServerless.Gateway.Rounds;
using FedServerless.Storage;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Rounds;

namespace FedServerless.LocalHost.Tests.Gateway;

public sealed class ReceiptTests
{
    [Fact]
    public async Task Commit_BeforeClosing_IsCommittedWithItsProof()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.UploadAsync(scene.Alice);

        var answer = await scene.CommitAsync(scene.Alice);

        Assert.Equal((201, ReceiptStates.Committed), (answer.Status, State(answer)));
        var stored = (await scene.Bench.Disk.GetAsync(StoreNames.Receipt("r", 1, "alice"), StoreJson.Default.ReceiptDocument, CancellationToken.None)).Value;
        Assert.Equal(3, stored.Proof.Split('.').Length);
        Assert.Contains("headerDigest", System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(stored.Body)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commit_AfterClosing_IsLate()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.UploadAsync(scene.Alice);
        await scene.PutAsync(StoreNames.Closing("r", 1));

        var answer = await scene.CommitAsync(scene.Alice);

        Assert.Equal((202, ReceiptStates.Late), (answer.Status, State(answer)));
    }

    // PITFALLS 40.
    [Fact]
    public async Task Commit_ClosingComesWhileTheReceiptIsOnItsWay_IsLateNotCommitted()
    {
        InMemoryObjectStore? disk = null;
        using var scene = await RoundScene.OpenAsync(inner => new FaultInjectingStore(disk = (InMemoryObjectStore)inner)
        {
            Gate = async (write, token) =>
            {
                if (write.Name == StoreNames.Receipt("r", 1, "alice"))
                {
                    await disk!.PutBytesAsync(StoreNames.Closing("r", 1), default, PutCondition.CreateOnce, token);
                }
            },
        });
        await scene.UploadAsync(scene.Alice);

        var answer = await scene.CommitAsync(scene.Alice);

        Assert.Equal((202, ReceiptStates.Late), (answer.Status, State(answer)));
    }

    // PITFALLS 40.
    [Fact]
    public async Task Commit_SameAgain_IsTheSame()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.UploadAndCommitAsync(scene.Alice);

        var again = await scene.CommitAsync(scene.Alice);

        Assert.Equal((200, ReceiptStates.Committed), (again.Status, State(again)));
    }

    [Fact]
    public async Task Commit_SameAgainWhileClosing_IsNotCertain()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.UploadAndCommitAsync(scene.Alice);
        await scene.PutAsync(StoreNames.Closing("r", 1));

        var again = await scene.CommitAsync(scene.Alice);

        Assert.Equal((202, ReceiptStates.Late), (again.Status, State(again)));
    }

    [Fact]
    public async Task Commit_SameAgainAfterTheSeal_IsWhatTheSealSays()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.UploadAndCommitAsync(scene.Alice);
        await scene.UploadAsync(scene.Bob);
        await scene.Bench.Activities.SealRound.RunAsync(RoundScene.Input, CancellationToken.None);
        Assert.Equal(202, (await scene.CommitAsync(scene.Bob)).Status);

        var alice = await scene.CommitAsync(scene.Alice);
        var bob = await scene.CommitAsync(scene.Bob);

        Assert.Equal((200, ReceiptStates.Committed), (alice.Status, State(alice)));
        Assert.Equal((200, ReceiptStates.Late), (bob.Status, State(bob)));
    }

    // PITFALLS 40.
    [Fact]
    public async Task Commit_AnotherReceipt_Conflicts()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.UploadAndCommitAsync(scene.Alice);

        var other = await scene.CommitAsync(scene.Alice, scene.Receipt("alice") with { Samples = 11 });

        Assert.Equal((409, "/problems/other-receipt"), (other.Status, other.Problem().Type));
    }

    [Fact]
    public async Task Commit_NothingUploaded_NamesWhatIsMissing()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.AskAsync(scene.Alice);

        var answer = await scene.CommitAsync(scene.Alice);

        Assert.Equal((409, "/problems/incomplete-upload"), (answer.Status, answer.Problem().Type));
        Assert.Equal(["headerDigest", "parts[0]"], answer.Problem().Problems!.Select(problem => problem.Field));
        Assert.DoesNotContain(StoreNames.Receipt("r", 1, "alice"), scene.Bench.Disk.Names);
    }

    [Fact]
    public async Task Commit_NeverAnnounced_IsRefused()
    {
        using var scene = await RoundScene.OpenAsync();

        Assert.Equal("/problems/incomplete-upload", (await scene.CommitAsync(scene.Alice)).Problem().Type);
    }

    [Fact]
    public async Task Commit_OtherTotal_IsRefused()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.UploadAsync(scene.Alice);
        var receipt = scene.Receipt("alice");

        var answer = await scene.CommitAsync(scene.Alice, receipt with { Bytes = receipt.Bytes + 1 });

        Assert.Equal("bytes", Assert.Single(answer.Problem().Problems!).Field);
    }

    // PITFALLS 39, 40.
    [Fact]
    public async Task Commit_StaleBase_IsRefused()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.UploadAsync(scene.Alice);

        var answer = await scene.CommitAsync(scene.Alice, scene.Receipt("alice") with { BaseDigest = Digest.Of([1]) });

        Assert.Equal((409, "/problems/stale-base"), (answer.Status, answer.Problem().Type));
    }

    [Fact]
    public async Task Commit_ForAnother_IsRefused()
    {
        using var scene = await RoundScene.OpenAsync();

        var answer = await scene.CommitAsync(scene.Alice, scene.Receipt("bob"));

        Assert.Equal((403, "/problems/not-yours"), (answer.Status, answer.Problem().Type));
    }

    [Fact]
    public async Task Commit_NotSelected_IsRefused()
    {
        using var scene = await RoundScene.OpenAsync();

        var answer = await scene.CommitAsync(scene.Carol);

        Assert.Equal((403, "/problems/not-yours"), (answer.Status, answer.Problem().Type));
    }

    // PITFALLS 40: another round among it.
    [Fact]
    public async Task Commit_EverythingWrong_ListsEverything()
    {
        using var scene = await RoundScene.OpenAsync();
        var receipt = scene.Receipt("alice") with { Run = "q", Round = 2, Samples = 0, Metrics = new Dictionary<string, double> { ["a b"] = 1 } };

        var answer = await scene.CommitAsync(scene.Alice, receipt);

        Assert.Equal(["run", "round", "samples", "metrics"], answer.Problem().Problems!.Select(problem => problem.Field));
    }

    [Theory]
    [InlineData(DeviceApi.MaxMetrics, 201)]
    [InlineData(DeviceApi.MaxMetrics + 1, 400)]
    public async Task Commit_Metrics_AreBounded(int count, int status)
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.UploadAsync(scene.Alice);
        var metrics = Enumerable.Range(0, count).ToDictionary(index => $"m{index}", index => (double)index);

        Assert.Equal(status, (await scene.CommitAsync(scene.Alice, scene.Receipt("alice") with { Metrics = metrics })).Status);
    }

    [Theory]
    [InlineData(64, 201)]
    [InlineData(65, 400)]
    public async Task Commit_MetricNames_AreBounded(int length, int status)
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.UploadAsync(scene.Alice);
        var metrics = new Dictionary<string, double> { [new string('m', length)] = 1 };

        Assert.Equal(status, (await scene.CommitAsync(scene.Alice, scene.Receipt("alice") with { Metrics = metrics })).Status);
    }

    [Fact]
    public async Task Commit_InfiniteMetric_IsRefused()
    {
        using var scene = await RoundScene.OpenAsync();
        var json = System.Text.Json.JsonSerializer.Serialize(scene.Receipt("alice"), WireJson.Default.Receipt).Replace("0.5", "1e999", StringComparison.Ordinal);

        var answer = await scene.Bench.CallAsync(scene.Alice, "commitReceipt", $"{RoundScene.Round}/receipts", System.Text.Encoding.UTF8.GetBytes(json));

        Assert.Equal((400, "metrics.loss"), (answer.Status, Assert.Single(answer.Problem().Problems!).Field));
    }

    [Fact]
    public async Task Commit_QuorumReached_WakesTheRound()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.Bench.CheckInAsync(scene.Alice);
        await scene.UploadAndCommitAsync(scene.Alice);
        Assert.DoesNotContain(scene.Bench.Workflows.Wakes, wake => wake.Event == "quorum");

        await scene.UploadAndCommitAsync(scene.Bob);

        Assert.Contains((RoundWorkflow.InstanceId("r", 1), "quorum"), scene.Bench.Workflows.Wakes);
    }

    [Fact]
    public async Task Commit_RepeatedAfterTheQuorum_WakesTheRoundOnceInAWhile()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.UploadAndCommitAsync(scene.Alice);
        await scene.UploadAndCommitAsync(scene.Bob);
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(200, (await scene.CommitAsync(scene.Bob)).Status);
        }

        Assert.Single(scene.Bench.Workflows.Wakes, wake => wake.Event == "quorum");

        scene.Bench.Time.Advance(HintGate.Pause);
        await scene.CommitAsync(scene.Bob);
        Assert.Equal(2, scene.Bench.Workflows.Wakes.Count(wake => wake.Event == "quorum"));
    }

    [Fact]
    public async Task Commit_StoreFull_IsInsufficientStorage()
    {
        using var scene = await RoundScene.OpenAsync(inner => new FaultInjectingStore(
            inner, write => write.Name == StoreNames.Receipt("r", 1, "alice") ? StoreFault.Full : StoreFault.None));
        await scene.UploadAsync(scene.Alice);

        var answer = await scene.CommitAsync(scene.Alice);

        Assert.Equal((507, "/problems/store-full"), (answer.Status, answer.Problem().Type));
    }

    [Fact]
    public async Task Mine_NoReceipt_IsUnknown()
    {
        using var scene = await RoundScene.OpenAsync();

        Assert.Equal(ReceiptStates.Unknown, (await scene.MineAsync(scene.Alice)).State);
    }

    [Fact]
    public async Task Mine_EachStep_TellsTheState()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.UploadAndCommitAsync(scene.Alice);
        Assert.Equal(ReceiptStates.Committed, (await scene.MineAsync(scene.Alice)).State);

        await scene.PutAsync(StoreNames.Closing("r", 1));
        Assert.Equal(ReceiptStates.Late, (await scene.MineAsync(scene.Alice)).State);
    }

    [Fact]
    public async Task Mine_SealedAsAbandoned_TellsWhy()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.UploadAndCommitAsync(scene.Alice);
        await scene.Bench.Activities.SealRound.RunAsync(RoundScene.Input, CancellationToken.None);

        var mine = await scene.MineAsync(scene.Alice);

        Assert.Equal(ReceiptStates.Abandoned, mine.State);
        Assert.Contains("1 receipts", mine.Reason, StringComparison.Ordinal);
    }

    // A commit whose answer never came: the device must know whether its update can still count, or has counted. Carol was not selected.
    [Theory]
    [InlineData(true, "bob", ReceiptStates.Excluded, true)]
    [InlineData(true, "alice", ReceiptStates.Unknown, false)]
    [InlineData(true, "carol", ReceiptStates.Unknown, false)]
    [InlineData(false, "bob", ReceiptStates.Abandoned, false)]
    [InlineData(false, "carol", ReceiptStates.Unknown, false)]
    [InlineData(null, "bob", ReceiptStates.Unknown, false)]
    public async Task Mine_NoReceipt_IsExcludedOnceTheRoundIsSealedWithoutIt(bool? aggregate, string client, string state, bool late)
    {
        using var scene = await RoundScene.OpenAsync();
        if (aggregate is { } isAggregate)
        {
            await scene.Bench.Disk.CreateOnceAsync(
                StoreNames.Seal("r", 1), new SealDocument(isAggregate, "why", ["alice"]), StoreJson.Default.SealDocument, CancellationToken.None);
        }

        var mine = await scene.MineAsync(client switch { "alice" => scene.Alice, "bob" => scene.Bob, _ => scene.Carol });

        Assert.Equal((state, late, null), (mine.State, mine.Late, mine.HeaderDigest));
    }

    // A device keeps its residual through what came late and drops it after two refusals: it must be told which of the two it was.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Mine_CameAfterTheSeal_IsExcludedAsLate(bool late)
    {
        using var scene = await RoundScene.OpenAsync(spec: RoundScene.Spec with { Round = new RoundSpec { Minimum = 1 } });
        await scene.UploadAndCommitAsync(scene.Alice);
        await scene.UploadAsync(scene.Bob);
        if (!late)
        {
            await scene.CommitAsync(scene.Bob);
        }

        await scene.Bench.Activities.SealRound.RunAsync(RoundScene.Input, CancellationToken.None);
        if (late)
        {
            await scene.CommitAsync(scene.Bob);
        }

        var accepted = new AcceptedDocument([new AcceptedUpdate("alice", RoundScene.HeaderDigest(1), 1, 1)], late ? [] : [new Refusal("bob", "NaN")]);
        await scene.Bench.Disk.CreateOnceAsync(StoreNames.Accepted("r", 1), accepted, StoreJson.Default.AcceptedDocument, CancellationToken.None);

        var mine = await scene.MineAsync(scene.Bob);

        Assert.Equal((ReceiptStates.Excluded, late), (mine.State, mine.Late));
    }

    [Theory]
    [InlineData(true, "alice", ReceiptStates.Included)]
    [InlineData(true, "bob", ReceiptStates.Excluded)]
    [InlineData(false, "alice", ReceiptStates.Abandoned)]
    [InlineData(null, "alice", ReceiptStates.Committed)]
    [InlineData(null, "bob", ReceiptStates.Excluded)]
    public async Task Mine_AfterTheVerdicts_TellsTheState(bool? published, string client, string state)
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.UploadAndCommitAsync(scene.Alice);
        await scene.UploadAndCommitAsync(scene.Bob);
        await scene.Bench.Activities.SealRound.RunAsync(RoundScene.Input, CancellationToken.None);
        var accepted = new AcceptedDocument([new AcceptedUpdate("alice", RoundScene.HeaderDigest(1), 1, 1)], [new Refusal("bob", "NaN")]);
        await scene.Bench.Disk.CreateOnceAsync(StoreNames.Accepted("r", 1), accepted, StoreJson.Default.AcceptedDocument, CancellationToken.None);
        if (published is { } isPublished)
        {
            var outcome = new RoundOutcomeDocument(isPublished, "why", null, 2, 2, 1, 0, 0, new Dictionary<string, double>(), 0, 0);
            await scene.Bench.Disk.CreateOnceAsync(StoreNames.RoundOutcome("r", 1), outcome, StoreJson.Default.RoundOutcomeDocument, CancellationToken.None);
        }

        Assert.Equal(state, (await scene.MineAsync(client == "alice" ? scene.Alice : scene.Bob)).State);
    }

    private static string State(Answer answer) => answer.Read(WireJson.Default.CommitResponse).State;
}
