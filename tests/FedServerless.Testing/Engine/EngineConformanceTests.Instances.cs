using System.Collections.Concurrent;
using FedServerless.Workflows.Engine;
using Xunit;

namespace FedServerless.Testing.Engine;

/// <summary>Start, status, purge, continue-as-new, restart.</summary>
public abstract partial class EngineConformanceTests
{
    [Fact]
    public async Task StartAsync_Twice_StartsOnce()
    {
        var tally = new Tally();
        On(Double, n => tally.Add("ran"));
        On(async (context, n) => Done($"{n} {await context.CallAsync(Double, n)}"));
        Assert.True(await StartAsync(1));
        Assert.False(await StartAsync(2));
        await AssertOutputAsync("1 1");
        Assert.False(await StartAsync(3));
        Assert.Equal(1, tally["ran"]);
    }

    [Fact]
    public async Task StartAsync_AtOnceFromManyCallers_OneIsTold()
    {
        On((_, n) => Task.FromResult(Done(n)));
        var started = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => StartAsync(i))));
        Assert.Equal(1, started.Count(s => s));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("a b")]
    [InlineData("é")]
    public async Task StartAsync_MalformedId_Refuses(string id)
    {
        On((_, n) => Task.FromResult(Done(n)));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => StartAsync(0, id));
    }

    [Theory]
    [InlineData(WorkflowLimits.MaxInstanceIdLength - 1, true)]
    [InlineData(WorkflowLimits.MaxInstanceIdLength, true)]
    [InlineData(WorkflowLimits.MaxInstanceIdLength + 1, false)]
    public async Task StartAsync_LongId_IsAcceptedUpToTheLimit(int length, bool accepted)
    {
        On((_, n) => Task.FromResult(Done(n)));
        var start = () => StartAsync(0, new string('a', length));
        if (accepted)
        {
            Assert.True(await start());
        }
        else
        {
            await Assert.ThrowsAnyAsync<ArgumentException>(start);
        }
    }

    [Fact]
    public async Task GetStatusAsync_NeverStarted_GivesNull()
    {
        On((_, n) => Task.FromResult(Done(n)));
        Assert.Null(await StatusAsync("nobody"));
    }

    [Fact]
    public async Task GetStatusAsync_WhileRunningAndAfter_GivesTheLastStatusSet()
    {
        On(async (context, n) =>
        {
            context.SetStatus("one");
            context.SetStatus("two");
            await context.WaitUntilAsync(context.UtcNow + Units(2));
            context.SetStatus("three");
            return Done("x");
        });
        await StartAsync();
        await _engine.AdvanceAsync(Units(0.5));
        Assert.Equal(new WorkflowStatus("a", WorkflowPhase.Running, "two", null, null), await StatusAsync());
        await _engine.CompleteAsync("a");
        Assert.Equal(new WorkflowStatus("a", WorkflowPhase.Completed, "three", "\"x\"", null), await StatusAsync());
    }

    [Theory]
    [InlineData(WorkflowLimits.MaxMessageBytes - 3, true)]
    [InlineData(WorkflowLimits.MaxMessageBytes - 2, true)]
    [InlineData(WorkflowLimits.MaxMessageBytes - 1, false)]
    public async Task SetStatus_NearTheLimit_IsTakenUpToIt(int characters, bool taken)
    {
        On((context, n) =>
        {
            context.SetStatus(new string('x', n));
            return Task.FromResult(Done("x"));
        });
        Assert.Equal(taken ? WorkflowPhase.Completed : WorkflowPhase.Failed, (await RunAsync(characters)).Phase);
    }

    [Fact]
    public async Task PurgeAsync_Ended_ForgetsItAndTheIdIsFree()
    {
        On((_, n) => Task.FromResult(Done(n)));
        await RunAsync(1);
        Assert.True(await _engine.Client.PurgeAsync("a", CancellationToken.None));
        Assert.Null(await StatusAsync());
        Assert.False(await _engine.Client.PurgeAsync("a", CancellationToken.None));
        Assert.Equal("2", await OutputAsync(2));
    }

    [Fact]
    public async Task PurgeAsync_RunningOrUnknown_RefusesAndKeepsIt()
    {
        On(async (context, n) =>
        {
            await context.WaitUntilAsync(context.UtcNow + Units(2));
            return Done(n);
        });
        await StartAsync(3);
        Assert.False(await _engine.Client.PurgeAsync("a", CancellationToken.None));
        Assert.False(await _engine.Client.PurgeAsync("nobody", CancellationToken.None));
        await AssertOutputAsync("3");
    }

    [Fact]
    public async Task PurgeAsync_Parent_LeavesItsChildren()
    {
        var child = new Workflow<int, int>("Child");
        On(child, (_, n) => Task.FromResult(Turn<int, int>.Done(n)));
        On(async (context, n) => Done(await context.RunAsync(child, "child", 5)));
        await RunAsync();
        await _engine.Client.PurgeAsync("a", CancellationToken.None);
        Assert.Equal("5", (await StatusAsync("child"))!.Output);
    }

    [Fact]
    public async Task Again_ManyGenerations_EachStartsFromItsInput()
    {
        On(Double, n => n + 1);
        On(async (context, n) => n < 50 ? Again(await context.CallAsync(Double, n)) : Done(n));
        Assert.Equal("50", await OutputAsync());
    }

    [Fact]
    public async Task Again_StatusOfAnEarlierGeneration_Stands()
    {
        On((context, n) =>
        {
            if (n == 0)
            {
                context.SetStatus("from zero");
                return Task.FromResult(Again(1));
            }

            return Task.FromResult(Done(n));
        });
        Assert.Equal("from zero", (await RunAsync()).Status);
    }

    [Fact]
    public async Task RunAsync_CodeThrows_FailsTheInstanceWithTheReason()
    {
        On((_, _) => throw new InvalidDataException("bad plan"));
        Assert.Equal("System.IO.InvalidDataException: bad plan", await ErrorAsync());
    }

    [Fact]
    public async Task RunAsync_AwaitsSomethingForeign_FailsTheInstance()
    {
        var never = new TaskCompletionSource();
        On(async (_, n) =>
        {
            await never.Task;
            return Done(n);
        });
        Assert.Equal(WorkflowPhase.Failed, (await RunAsync()).Phase);
    }

    [Fact]
    public async Task RestartAsync_CompletedSteps_AreNotRunAgain()
    {
        var tally = new Tally();
        On(Double, n => tally.Add($"step {n}"));
        On(async (context, n) =>
        {
            var first = await context.CallAsync(Double, 1);
            await context.WaitUntilAsync(context.UtcNow + Units(2));
            return Done($"{first} {await context.CallAsync(Double, 2)}");
        });
        await StartAsync();
        await _engine.AdvanceAsync(Units(0.5));
        await _engine.RestartAsync();
        await AssertOutputAsync("1 1");
        Assert.Equal(1, tally["step 1"]);
    }

    [Fact]
    public async Task RestartAsync_InTheMiddleOfAnActivity_RunsItAgain()
    {
        Assert.SkipWhen(_engine.CannotLoseActivities is not null, _engine.CannotLoseActivities ?? "");
        var tally = new Tally();
        var begun = new TaskCompletionSource();
        _engine.AddActivity(Double, async (n, cancellationToken) =>
        {
            if (tally.Add("try") == 1)
            {
                begun.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            }

            return n * 2;
        });
        On(async (context, n) => Done(await context.CallAsync(Double, n)));
        await StartAsync(4);
        await begun.Task;
        await _engine.RestartAsync();
        await AssertOutputAsync("8");
    }

    [Fact]
    public async Task RestartAsync_TimerPending_KeepsItsMoment()
    {
        On(async (context, n) =>
        {
            var until = context.UtcNow + Units(4);
            await context.WaitUntilAsync(until);
            return Done("x");
        });
        await StartAsync();
        await _engine.AdvanceAsync(Units(1));
        await _engine.RestartAsync();
        await _engine.AdvanceAsync(Units(1));
        Assert.Equal(WorkflowPhase.Running, (await StatusAsync())!.Phase);
        await _engine.AdvanceAsync(Units(3));
        Assert.Equal(WorkflowPhase.Completed, (await StatusAsync())!.Phase);
    }

    [Fact]
    public async Task RestartAsync_TimerFellDueMeanwhile_FiresAfterIt()
    {
        On(async (context, n) =>
        {
            await context.WaitUntilAsync(context.UtcNow + Units(4));
            return Done("x");
        });
        await StartAsync();
        await _engine.AdvanceAsync(Units(1));
        await _engine.RestartAsync(down: Units(4));
        await _engine.AdvanceAsync(Units(1));
        Assert.Equal(WorkflowPhase.Completed, (await StatusAsync())!.Phase);
    }

    [Fact]
    public async Task RestartAsync_RightAfterAStartWasAnswered_RunsIt()
    {
        On((_, n) => Task.FromResult(Done(n)));
        await StartAsync(4);
        await _engine.RestartAsync();
        await AssertOutputAsync("4");
    }

    [Fact]
    public async Task RestartAsync_WaitingForAnEvent_CanStillBeWoken()
    {
        On(async (context, n) => Done(await context.WaitForEventAsync("go", context.UtcNow + Units(20))));
        await StartAsync();
        await _engine.AdvanceAsync(Units(0.5));
        await _engine.RestartAsync();
        await _engine.AdvanceAsync(Units(0.5));
        await WakeAsync("go");
        await _engine.AdvanceAsync(Units(0.5));
        Assert.Equal("\"True\"", (await StatusAsync())!.Output);
    }

    [Fact]
    public async Task RestartAsync_Replay_ShowsTheSameTimes()
    {
        var seen = new ConcurrentDictionary<int, ConcurrentBag<DateTimeOffset>>();
        On(Double, n => n);
        On(async (context, n) =>
        {
            for (var i = 0; i < 4; i++)
            {
                seen.GetOrAdd(i, _ => []).Add(context.UtcNow);
                await context.WaitUntilAsync(context.UtcNow + Units(0.4));
                await context.CallAsync(Double, i);
            }

            return Done("x");
        });
        await StartAsync();
        for (var i = 0; i < 3; i++)
        {
            await _engine.AdvanceAsync(Units(0.5));
            await _engine.RestartAsync();
        }

        await _engine.CompleteAsync("a");
        Assert.All(seen.Values, times => Assert.Single(times.Distinct()));
    }

    [Fact]
    public async Task RestartAsync_EndedInstances_AreRemembered()
    {
        On((_, n) => n > 0 ? Task.FromResult(Done(n)) : throw new InvalidDataException("bad plan"));
        await RunAsync(1, "a");
        await RunAsync(0, "b");
        await _engine.RestartAsync();
        Assert.Equal(new WorkflowStatus("a", WorkflowPhase.Completed, null, "\"1\"", null), await StatusAsync("a"));
        Assert.Equal(new WorkflowStatus("b", WorkflowPhase.Failed, null, null, "System.IO.InvalidDataException: bad plan"), await StatusAsync("b"));
        Assert.False(await StartAsync(1, "a"));
    }

    [Fact]
    public async Task RestartAsync_ParentAndChildRunning_AttachAgain()
    {
        var child = new Workflow<int, int>("Child");
        On(child, async (context, n) =>
        {
            await context.WaitUntilAsync(context.UtcNow + Units(2));
            return Turn<int, int>.Done(n + 1);
        });
        On(async (context, n) => Done(await context.RunAsync(child, "child", n)));
        await StartAsync(7);
        await _engine.AdvanceAsync(Units(0.5));
        await _engine.RestartAsync();
        await AssertOutputAsync("8");
    }

    [Fact]
    public async Task RestartAsync_AfterContinueAsNew_GoesOnInTheLastGeneration()
    {
        var tally = new Tally();
        On(async (context, n) =>
        {
            if (n < 3)
            {
                tally.Add($"generation {n}");
                return Again(n + 1);
            }

            await context.WaitUntilAsync(context.UtcNow + Units(2));
            return Done(n);
        });
        await StartAsync();
        await _engine.AdvanceAsync(Units(0.5));
        await _engine.RestartAsync();
        await AssertOutputAsync("3");
        Assert.Equal(1, tally["generation 0"]);
    }

    [Fact]
    public async Task Done_WithACallStillOpen_EndsTheInstance()
    {
        On(Double, n => n);
        On((context, n) =>
        {
            _ = context.CallAsync(Double, n);
            _ = context.WaitUntilAsync(context.UtcNow + Units(20));
            return Task.FromResult(Done("x"));
        });
        Assert.Equal("x", await OutputAsync());
    }

    [Fact]
    public async Task Log_AroundManyAwaits_IsWrittenOnce()
    {
        On(Double, n => n * 2);
        On(async (context, n) =>
        {
            for (var i = 0; i < 4; i++)
            {
                context.Log($"step {i}");
                await context.CallAsync(Double, i);
            }

            return Done("x");
        });
        await RunAsync();
        Assert.Equal(["a: step 0", "a: step 1", "a: step 2", "a: step 3"], _engine.WorkflowLog);
    }

    [Theory]
    [InlineData(19_999, true)]
    [InlineData(20_000, true)]
    [InlineData(20_001, false)]
    public async Task RunAsync_ManyCallsOfOneGeneration_AreTakenUpToTheLimit(int calls, bool taken)
    {
        On(async (context, n) =>
        {
            for (var i = 0; i < n; i++)
            {
                await context.WaitUntilAsync(context.UtcNow);
            }

            return Done("x");
        });
        var status = await RunAsync(calls);
        Assert.Equal(taken ? WorkflowPhase.Completed : WorkflowPhase.Failed, status.Phase);
        Assert.Equal(taken, status.Error is null || !status.Error.Contains("continue as new", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Again_WakesOfAnEarlierGeneration_DoNotPileUp()
    {
        // Each generation looks first, so a wake that came before it may be dropped, and must not be handed on for ever.
        On(Double, n => n);
        On(async (context, n) =>
        {
            await context.CallAsync(Double, n);
            return n < 10 ? Again(n + 1) : Done(await context.WaitForEventAsync("go", context.UtcNow + Units(0.3)) ? "woken once" : "not woken");
        });
        await StartAsync();
        for (var i = 0; i < 20; i++)
        {
            await WakeAsync("go");
        }

        var status = await _engine.CompleteAsync("a");
        Assert.True(status.Output is "\"woken once\"" or "\"not woken\"", status.Output ?? status.Error);
    }
}
