using FedServerless.Local.Engine;
using FedServerless.Local.Engine.Journal;
using FedServerless.Testing.Engine;
using FedServerless.Workflows.Engine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FedServerless.LocalHost.Tests.Engine;

/// <summary>What the embedded engine does beyond the contract of both engines.</summary>
public sealed class EmbeddedEngineTests : IAsyncDisposable
{
    private static readonly RetrySpec Once = new(1, TimeSpan.Zero, 1, TimeSpan.Zero);
    private static readonly Workflow<int, string> Main = new("Main");
    private static readonly Activity<int, int> Double = new("Double", Once);

    private readonly InMemoryJournal _journal = new();
    private readonly WorkflowEnvironment _environment;

    public EmbeddedEngineTests() => _environment = new WorkflowEnvironment(openJournal: () => _journal);

    public ValueTask DisposeAsync() => _environment.DisposeAsync();

    [Fact]
    public void AddWorkflow_NameTaken_IsRefused()
    {
        var builder = new EmbeddedEngineBuilder(new System.Text.Json.Serialization.Metadata.DefaultJsonTypeInfoResolver());
        var code = new LambdaWorkflow<int, string>((_, n) => Task.FromResult(Done(n)));
        builder.AddWorkflow(Main, code);
        Assert.Contains("'Main' is registered twice", Assert.Throws<ArgumentException>(() => builder.AddWorkflow(Main, code)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddActivity_NameTaken_IsRefused()
    {
        var builder = new EmbeddedEngineBuilder(new System.Text.Json.Serialization.Metadata.DefaultJsonTypeInfoResolver());
        builder.AddActivity(Double, _ => new LambdaActivity<int, int>((n, _) => Task.FromResult(n)));
        var e = Assert.Throws<ArgumentException>(() => builder.AddActivity(Double, _ => new LambdaActivity<int, int>((n, _) => Task.FromResult(n))));
        Assert.Contains("'Double' is registered twice", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddWorkflow_TypeUnknownToTheContext_IsRefused()
    {
        var builder = new EmbeddedEngineBuilder(FedServerless.Wire.WireJson.Default);
        var e = Assert.Throws<ArgumentException>(() => builder.AddWorkflow(
            new Workflow<Version, string>("W"),
            new LambdaWorkflow<Version, string>((_, _) => Task.FromResult(Turn<Version, string>.Done("x")))));
        Assert.Contains("JsonSerializable(typeof(Version))", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StartAsync_WorkflowNotRegistered_IsRefused() =>
        await Assert.ThrowsAsync<ArgumentException>(() => _environment.Client.StartAsync(Main, "a", 1, CancellationToken.None));

    [Fact]
    public async Task CallAsync_ActivityNotRegistered_FailsTheStep()
    {
        _environment.AddWorkflow(Main, async (context, n) => Done(await context.CallAsync(Double, n)));
        var e = await Assert.ThrowsAsync<InvalidOperationException>(() => _environment.RunAsync(Main, 1));
        Assert.Contains("no activity 'Double'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StartAsync_JournalHasAnUnknownWorkflow_MarksItFailedAndRunsTheRest()
    {
        _journal.Commit([new JournalWrite.Create("old", "Gone", "1", _environment.UtcNow)]);
        _environment.AddWorkflow(Main, (_, n) => Task.FromResult(Done(n)));
        Assert.Equal("1", await _environment.RunAsync(Main, 1));
        var old = await _environment.Client.GetStatusAsync("old", CancellationToken.None);
        Assert.Equal(WorkflowPhase.Failed, old!.Phase);
        Assert.Contains("no workflow 'Gone'", old.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_ChildOfAnUnknownWorkflowInTheJournal_FailsTheStep()
    {
        var gone = new Workflow<int, int>("Gone");
        _environment.AddActivity(Double, n => n);
        _environment.AddWorkflow(Main, async (context, n) => Done(await context.RunAsync(gone, "old", n)));
        _journal.Commit([new JournalWrite.Create("old", "Gone", "1", _environment.UtcNow), new JournalWrite.Create("a", "Main", "1", _environment.UtcNow)]);
        var status = await _environment.CompleteAsync("a");
        Assert.Contains("UnknownWorkflow", status.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("delay")]
    [InlineData("run")]
    [InlineData("no context")]
    public async Task RunAsync_AwaitsSomethingForeign_FailsTheInstanceWithTheReason(string what)
    {
        var gate = new TaskCompletionSource();
        _environment.AddActivity(Double, n => n);
        _environment.AddWorkflow(Main, async (context, n) =>
        {
            switch (what)
            {
                case "delay":
                    await Task.Delay(Timeout.Infinite);
                    break;
                case "run":
                    await Task.Run(() => gate.Task);
                    break;
                default:
                    await context.CallAsync(Double, n).ConfigureAwait(false);
                    await gate.Task;
                    break;
            }

            return Done(n);
        });
        var e = await Assert.ThrowsAsync<InvalidOperationException>(() => _environment.RunAsync(Main, 1));
        gate.SetResult();
        Assert.Contains("awaits something that is not from its context", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_ForeignTaskEndsWhileATimerIsOpen_FailsTheInstance()
    {
        var foreign = new TaskCompletionSource();
        _environment.AddWorkflow(Main, async (context, n) =>
        {
            async Task BesideAsync() => await foreign.Task;
            await Task.WhenAll(BesideAsync(), context.WaitUntilAsync(context.UtcNow.AddHours(1)));
            return Done(n);
        });
        await _environment.StartAsync(Main, 1);
        await _environment.RunUntilIdleAsync();
        await Task.Run(foreign.SetResult);
        await _environment.RunUntilIdleAsync();
        var status = await _environment.Client.GetStatusAsync("test", CancellationToken.None);
        Assert.Contains("ForeignAwaitException", status!.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_YieldsToItself_IsNoMatter()
    {
        _environment.AddActivity(Double, n => n * 2);
        _environment.AddWorkflow(Main, async (context, n) =>
        {
            await Task.Yield();
            var twice = await context.CallAsync(Double, n);
            await Task.Yield();
            return Done(twice);
        });
        Assert.Equal("4", await _environment.RunAsync(Main, 2));
    }

    [Fact]
    public async Task RunAsync_CallsWithoutEnd_FailsTheInstanceAtTheLimit()
    {
        _environment.AddWorkflow(Main, async (context, n) =>
        {
            while (n > 0)
            {
                await context.WaitUntilAsync(context.UtcNow);
            }

            return Done(n);
        });
        var e = await Assert.ThrowsAsync<InvalidOperationException>(() => _environment.RunAsync(Main, 1));
        Assert.Contains("continue as new", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wake_BeforeTheWait_EndsItAtOnce()
    {
        _environment.AddActivity(Double, async (n, cancellationToken) =>
        {
            await _environment.Client.WakeAsync("test", "go", cancellationToken);
            return n;
        });
        _environment.AddWorkflow(Main, async (context, n) =>
        {
            await context.CallAsync(Double, n);
            var first = await context.WaitForEventAsync("go", context.UtcNow.AddDays(1));
            var second = await context.WaitForEventAsync("go", context.UtcNow.AddDays(1));
            return Done($"{first} {second}");
        });
        Assert.Equal("True False", await _environment.RunAsync(Main, 1));
    }

    [Fact]
    public async Task Log_Replayed_IsWrittenOnce()
    {
        _environment.AddActivity(Double, n => n);
        _environment.AddWorkflow(Main, async (context, n) =>
        {
            context.Log("before");
            await context.CallAsync(Double, n);
            await context.WaitUntilAsync(context.UtcNow.AddHours(1));
            context.Log("after");
            return Done(n);
        });
        await _environment.StartAsync(Main, 1);
        await _environment.RunUntilIdleAsync();
        await _environment.RestartAsync();
        await _environment.CompleteAsync("test");
        Assert.Equal(["test: before", "test: after"], _environment.WorkflowLog);
    }

    [Fact]
    public async Task Activities_ManyAtOnce_RunToTheBoundAndNotBeyond()
    {
        _environment.Options.MaxConcurrentActivities = 3;
        var (running, most) = (0, 0);
        var three = new TaskCompletionSource();
        _environment.AddActivity(Double, async (n, _) =>
        {
            var now = Interlocked.Increment(ref running);
            lock (three)
            {
                most = Math.Max(most, now);
            }

            if (now == 3)
            {
                three.TrySetResult();
            }

            await three.Task;
            await Task.Yield();
            Interlocked.Decrement(ref running);
            return n;
        });
        _environment.AddWorkflow(Main, async (context, n) => Done((await context.FanOutAsync(Double, [.. Enumerable.Range(0, n)])).Length));
        Assert.Equal("50", await _environment.RunAsync(Main, 50));
        Assert.Equal(3, most);
    }

    [Fact]
    public async Task Activities_EndingWhileACommitIsUnderWay_ShareTheNextOne()
    {
        var allRan = new ManualResetEventSlim();
        await using var environment = new WorkflowEnvironment(openJournal: () => new WatchedJournal(_journal, write =>
        {
            if (write is JournalWrite.Append)
            {
                allRan.Wait();
            }
        }));
        var ran = 0;
        environment.AddActivity(Double, n =>
        {
            if (Interlocked.Increment(ref ran) == 200)
            {
                allRan.Set();
            }

            return n;
        });
        environment.AddWorkflow(Main, async (context, n) => Done((await context.FanOutAsync(Double, [.. Enumerable.Range(0, n)])).Length));
        await environment.RunAsync(Main, 200);
        Assert.Equal(202, _journal.Writes.Count);
        Assert.InRange(_journal.Commits, 3, 10);
    }

    [Fact]
    public async Task Journal_CannotBeWritten_IsReportedUntilItCan()
    {
        var faults = new JournalFaults { FullAt = 0, FullTimes = 2 };
        await using var environment = new WorkflowEnvironment(openJournal: () => new FaultingJournal(_journal, faults));
        environment.AddWorkflow(Main, (_, n) => Task.FromResult(Done(n)));
        var start = environment.Client.StartAsync(Main, "a", 1, CancellationToken.None);
        await environment.RunUntilIdleAsync();
        while (faults.Refused == 0)
        {
            await environment.RunUntilIdleAsync();
        }

        Assert.False(environment.Engine.IsHealthy);
        Assert.Contains("No room", environment.Engine.Trouble, StringComparison.Ordinal);
        await Assert.ThrowsAsync<JournalException>(() => environment.Client.StartAsync(Main, "b", 1, CancellationToken.None));
        await environment.Client.WakeAsync("a", "go", CancellationToken.None);
        Assert.Null(await environment.Client.GetStatusAsync("a", CancellationToken.None));

        await environment.AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.True(await start);
        Assert.True(environment.Engine.IsHealthy);
        Assert.Equal("1", (await environment.CompleteAsync("a")).Output!.Trim('"'));
    }

    [Fact]
    public async Task StartAsync_CrashBeforeItIsDurable_IsNotAnswered()
    {
        await using var environment = new WorkflowEnvironment(openJournal: () => new FaultingJournal(_journal, new JournalFaults { CrashBefore = 0 }));
        environment.AddWorkflow(Main, (_, n) => Task.FromResult(Done(n)));
        await Assert.ThrowsAsync<JournalException>(() => environment.Client.StartAsync(Main, "a", 1, CancellationToken.None));
        Assert.False(environment.Engine.IsHealthy);
        await Assert.ThrowsAsync<SimulatedCrashException>(() => environment.Engine.Completion);
    }

    [Fact]
    public async Task CallAsync_ResultNotYetDurable_IsNotSeenByTheWorkflow()
    {
        var (begun, seen) = (false, false);
        var early = new List<string>();
        await using var environment = new WorkflowEnvironment(openJournal: () => new WatchedJournal(_journal, write =>
        {
            if ((write is JournalWrite.Create && begun) || (write is JournalWrite.Append && seen))
            {
                early.Add(write.GetType().Name);
            }
        }));
        environment.AddActivity(Double, n => n);
        environment.AddWorkflow(Main, async (context, n) =>
        {
            begun = true;
            await context.CallAsync(Double, n);
            seen = true;
            return Done(n);
        });
        await environment.RunAsync(Main, 1);
        Assert.True(seen);
        Assert.Empty(early);
    }

    [Fact]
    public async Task StopAsync_JournalCannotBeWritten_DoesNotHang()
    {
        var faults = new JournalFaults { FullAt = 0, FullTimes = int.MaxValue };
        var environment = new WorkflowEnvironment(openJournal: () => new FaultingJournal(_journal, faults));
        environment.AddWorkflow(Main, (_, n) => Task.FromResult(Done(n)));
        var start = environment.Client.StartAsync(Main, "a", 1, CancellationToken.None);
        await environment.RunUntilIdleAsync();
        await environment.DisposeAsync();
        await Assert.ThrowsAsync<JournalException>(() => start);
    }

    [Fact]
    public async Task AddEmbeddedEngine_HostStarts_ClientRunsWorkflows()
    {
        var services = new ServiceCollection();
        services.AddEmbeddedEngine(
            _ => new EmbeddedEngineBuilder(new System.Text.Json.Serialization.Metadata.DefaultJsonTypeInfoResolver())
                .AddWorkflow(Main, new LambdaWorkflow<int, string>((_, n) => Task.FromResult(Done(n)))),
            _ => _journal);
        await using var provider = services.BuildServiceProvider();
        var hosted = provider.GetServices<IHostedService>().Single();
        await hosted.StartAsync(CancellationToken.None);
        Assert.True(await provider.GetRequiredService<IWorkflowClient>().StartAsync(Main, "a", 1, CancellationToken.None));
        await provider.GetRequiredService<EmbeddedEngine>().WhenIdleAsync();
        await hosted.StopAsync(CancellationToken.None);
        Assert.Equal(WorkflowPhase.Completed, _journal.Find("a")!.Phase);
    }

    private static Turn<int, string> Done(object output) => Turn<int, string>.Done($"{output}");

    /// <summary>Shows every write just before it is durable.</summary>
    private sealed class WatchedJournal(InMemoryJournal inner, Action<JournalWrite> watch) : IJournal
    {
        public void Open() => inner.Open();

        public IReadOnlyList<JournalInstance> ReadRunning() => inner.ReadRunning();

        public JournalInstance? Find(string instanceId) => inner.Find(instanceId);

        public IReadOnlyList<JournalEvent> ReadEvents(string instanceId, int generation) => inner.ReadEvents(instanceId, generation);

        public void Commit(IReadOnlyList<JournalWrite> batch)
        {
            foreach (var write in batch)
            {
                watch(write);
            }

            inner.Commit(batch);
        }

        public void Dispose() => inner.Dispose();
    }
}
