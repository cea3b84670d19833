using System.Globalization;
using FedServerless.Workflows.Engine;
using Xunit;

namespace FedServerless.Testing.Engine;

/// <summary>Activities, fan-out, sub-workflows.</summary>
public abstract partial class EngineConformanceTests
{
    [Fact]
    public async Task CallAsync_ActivityReturns_GivesItsResult()
    {
        On(Double, n => n * 2);
        On(async (context, n) => Done(await context.CallAsync(Double, n)));
        Assert.Equal("42", await OutputAsync(21));
    }

    [Fact]
    public async Task CallAsync_TwoCallsBeforeAnAwait_BothRun()
    {
        On(Double, n => n * 2);
        On(async (context, n) =>
        {
            var first = context.CallAsync(Double, 1);
            var second = context.CallAsync(Double, 2);
            await Task.WhenAll(first, second);
            return Done(await first + (10 * await second));
        });
        Assert.Equal("42", await OutputAsync());
    }

    [Fact]
    public async Task CallAsync_ThrowsThenReturns_RunsAgain()
    {
        var tally = new Tally();
        var flaky = new Activity<int, int>("Flaky", new RetrySpec(3, Units(0.01), 2, Units(1)));
        On(flaky, n => tally.Add("try") < 3 ? throw new IOException("no disk") : n);
        On(async (context, n) => Done(await context.CallAsync(flaky, n)));
        Assert.Equal("7", await OutputAsync(7));
        Assert.Equal(3, tally["try"]);
    }

    [Fact]
    public async Task CallAsync_Retried_WaitsTheDelaysOfItsSpec()
    {
        var flaky = new Activity<int, int>("Flaky", new RetrySpec(4, Units(0.2), 2, Units(0.3)));
        var tally = new Tally();
        On(flaky, n => tally.Add("try") < 4 ? throw new IOException("no disk") : n);
        On(async (context, n) =>
        {
            var before = context.UtcNow;
            await context.CallAsync(flaky, n);
            return Done(context.UtcNow - before >= Units(0.2 + 0.3 + 0.3));
        });
        Assert.Equal("True", await OutputAsync());
    }

    [Fact]
    public async Task CallAsync_EveryAttemptThrows_ThrowsStepException()
    {
        var tally = new Tally();
        var broken = new Activity<int, int>("Broken", new RetrySpec(2, Units(0.01), 1, Units(0.01)));
        On(broken, int (n) => throw new InvalidDataException($"attempt {tally.Add("try")}"));
        On(async (context, n) =>
        {
            var e = await Assert.ThrowsAsync<WorkflowStepException>(() => context.CallAsync(broken, n));
            return Done($"{e.Step}|{e.ErrorType}|{e.ErrorMessage}");
        });
        Assert.Equal("Broken|System.IO.InvalidDataException|attempt 2", await OutputAsync());
        Assert.Equal(2, tally["try"]);
    }

    [Theory]
    [InlineData(999, 999)]
    [InlineData(1000, 1000)]
    [InlineData(1001, 1000)]
    public async Task CallAsync_LongErrorMessage_IsCutAtTheLimit(int length, int kept)
    {
        var broken = new Activity<int, int>("Broken", Once);
        On(broken, int (n) => throw new IOException(new string('x', length)));
        On(async (context, n) =>
        {
            var e = await Assert.ThrowsAsync<WorkflowStepException>(() => context.CallAsync(broken, n));
            return Done(e.ErrorMessage.Length);
        });
        Assert.Equal(kept.ToString(CultureInfo.InvariantCulture), await OutputAsync());
    }

    [Fact]
    public async Task CallAsync_StepFailureNotCaught_FailsTheInstance()
    {
        var broken = new Activity<int, int>("Broken", Once);
        On(broken, int (n) => throw new IOException("no disk"));
        On(async (context, n) => Done(await context.CallAsync(broken, n)));
        Assert.Contains("Broken failed: System.IO.IOException: no disk", await ErrorAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(WorkflowLimits.MaxMessageBytes - 3, true)]
    [InlineData(WorkflowLimits.MaxMessageBytes - 2, true)]
    [InlineData(WorkflowLimits.MaxMessageBytes - 1, false)]
    public async Task CallAsync_InputNearTheLimit_TravelsUpToIt(int characters, bool travels)
    {
        var length = new Activity<string, int>("Length", Once);
        On(length, text => text.Length);
        On(async (context, n) => Done(await context.CallAsync(length, new string('x', characters))));
        Assert.Equal(travels ? WorkflowPhase.Completed : WorkflowPhase.Failed, (await RunAsync()).Phase);
    }

    [Theory]
    [InlineData(WorkflowLimits.MaxMessageBytes - 3, true)]
    [InlineData(WorkflowLimits.MaxMessageBytes - 2, true)]
    [InlineData(WorkflowLimits.MaxMessageBytes - 1, false)]
    public async Task CallAsync_OutputNearTheLimit_TravelsUpToIt(int characters, bool travels)
    {
        var text = new Activity<int, string>("Text", RetrySpec.Storage);
        var tally = new Tally();
        On(text, n =>
        {
            tally.Add("try");
            return new string('x', n);
        });
        On(async (context, n) => Done((await context.CallAsync(text, n)).Length));
        Assert.Equal(travels ? WorkflowPhase.Completed : WorkflowPhase.Failed, (await RunAsync(characters)).Phase);
        Assert.Equal(1, tally["try"]);
    }

    [Fact]
    public async Task CallAsync_NotANumber_DoesNotTravel()
    {
        var real = new Activity<double, double>("Real", Once);
        On(real, x => x);
        On(async (context, n) => Done(await context.CallAsync(real, double.NaN)));
        Assert.Equal(WorkflowPhase.Failed, (await RunAsync()).Phase);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(WorkflowLimits.MaxFanOut - 1)]
    [InlineData(WorkflowLimits.MaxFanOut)]
    public async Task FanOutAsync_ManyInputs_GivesResultsInTheirOrder(int count)
    {
        On(Double, n => n * 2);
        On(async (context, n) =>
        {
            var results = await context.FanOutAsync(Double, [.. Enumerable.Range(0, n)]);
            return Done(results.SequenceEqual(Enumerable.Range(0, n).Select(i => i * 2)));
        });
        Assert.Equal("True", await OutputAsync(count));
    }

    [Fact]
    public async Task FanOutAsync_OneAboveTheLimit_Refuses()
    {
        On(Double, n => n * 2);
        On(async (context, n) => Done((await context.FanOutAsync(Double, [.. Enumerable.Range(0, n)])).Length));
        Assert.Contains("ArgumentOutOfRangeException", await ErrorAsync(WorkflowLimits.MaxFanOut + 1), StringComparison.Ordinal);
    }

    [Fact]
    public async Task FanOutAsync_SomeFail_ThrowsTheFirstByInputAfterAllEnded()
    {
        var tally = new Tally();
        var odd = new Activity<int, int>("Odd", Once);
        On(odd, n =>
        {
            tally.Add("ran");
            return n % 2 == 0 ? throw new IOException($"even {n}") : n;
        });
        On(async (context, n) =>
        {
            var e = await Assert.ThrowsAsync<WorkflowStepException>(() => context.FanOutAsync(odd, [1, 4, 3, 2, 5]));
            return Done($"{e.ErrorMessage}, {tally["ran"]} ran");
        });
        Assert.Equal("even 4, 5 ran", await OutputAsync());
    }

    [Fact]
    public async Task RunAsync_NewId_RunsItAndGivesItsOutput()
    {
        var child = new Workflow<string, string>("Child");
        On(child, (context, name) => Task.FromResult(Turn<string, string>.Done($"{context.InstanceId} {name}")));
        On(async (context, n) => Done(await context.RunAsync(child, "child-1", "ann")));
        Assert.Equal("child-1 ann", await OutputAsync());
        Assert.Equal("\"child-1 ann\"", (await StatusAsync("child-1"))!.Output);
    }

    [Fact]
    public async Task RunAsync_IdThatCompleted_GivesItsOutputWithoutRunningAgain()
    {
        var tally = new Tally();
        var child = new Workflow<int, int>("Child");
        On(child, (_, n) => Task.FromResult(Turn<int, int>.Done(n + (100 * tally.Add("child")))));
        On(async (context, n) => Done($"{await context.RunAsync(child, "child", 1)} {await context.RunAsync(child, "child", 2)}"));
        Assert.Equal("101 101", await OutputAsync());
    }

    [Fact]
    public async Task RunAsync_IdThatRuns_AttachesToIt()
    {
        var child = new Workflow<int, int>("Child");
        On(child, async (context, n) =>
        {
            await context.WaitUntilAsync(context.UtcNow + Units(1));
            return Turn<int, int>.Done(n);
        });
        On(async (context, n) => Done(await context.RunAsync(child, "child", n)));
        await StartAsync(1, "a");
        await StartAsync(2, "b");
        await _engine.CompleteAsync("a");
        await _engine.CompleteAsync("b");
        Assert.Equal("\"1\"", (await StatusAsync("a"))!.Output);
        Assert.Equal("\"1\"", (await StatusAsync("b"))!.Output);
    }

    [Fact]
    public async Task RunAsync_IdOfAnotherWorkflow_ThrowsStepException()
    {
        var child = new Workflow<int, int>("Child");
        var other = new Workflow<int, int>("Other");
        On(child, (_, n) => Task.FromResult(Turn<int, int>.Done(n)));
        On(other, (_, n) => Task.FromResult(Turn<int, int>.Done(n)));
        On(async (context, n) =>
        {
            await context.RunAsync(child, "child", 1);
            var e = await Assert.ThrowsAsync<WorkflowStepException>(() => context.RunAsync(other, "child", 1));
            return Done(e.ErrorType);
        });
        Assert.Equal("InstanceIdTaken", await OutputAsync());
    }

    [Fact]
    public async Task RunAsync_ChildFails_ThrowsStepExceptionOfItsError()
    {
        var child = new Workflow<int, int>("Child");
        On(child, (_, _) => throw new InvalidDataException("bad plan"));
        On(async (context, n) =>
        {
            var e = await Assert.ThrowsAsync<WorkflowStepException>(() => context.RunAsync(child, "child", 1));
            return Done($"{e.Step}|{e.ErrorType}|{e.ErrorMessage}");
        });
        Assert.Equal("Child|System.IO.InvalidDataException|bad plan", await OutputAsync());
    }

    [Fact]
    public async Task RunAsync_ChildContinuesAsNew_WaitsForItsLastGeneration()
    {
        var child = new Workflow<int, int>("Child");
        On(child, (_, n) => Task.FromResult(n < 3 ? Turn<int, int>.Again(n + 1) : Turn<int, int>.Done(n)));
        On(async (context, n) => Done(await context.RunAsync(child, "child", 0)));
        Assert.Equal("3", await OutputAsync());
    }

    [Fact]
    public async Task RunAsync_ManyChildrenAtOnce_AllEnd()
    {
        var child = new Workflow<int, int>("Child");
        On(Double, n => n * 2);
        On(child, async (context, n) => Turn<int, int>.Done(await context.CallAsync(Double, n)));
        On(async (context, n) =>
        {
            var children = Enumerable.Range(0, n).Select(i => context.RunAsync(child, $"child-{i}", i)).ToArray();
            return Done((await Task.WhenAll(children)).Sum());
        });
        Assert.Equal("90", await OutputAsync(10));
    }

    [Fact]
    public async Task RunAsync_SameChildTwiceAtOnce_BothGetItsOutput()
    {
        var child = new Workflow<int, int>("Child");
        On(child, async (context, n) =>
        {
            await context.WaitUntilAsync(context.UtcNow + Units(0.5));
            return Turn<int, int>.Done(n);
        });
        On(async (context, n) =>
        {
            var both = await Task.WhenAll(context.RunAsync(child, "child", 1), context.RunAsync(child, "child", 2));
            return Done($"{both[0] == both[1]} {both[0] is 1 or 2}");
        });
        Assert.Equal("True True", await OutputAsync());
    }

    [Fact]
    public async Task RunAsync_MalformedId_Refuses()
    {
        var child = new Workflow<int, int>("Child");
        On(child, (_, n) => Task.FromResult(Turn<int, int>.Done(n)));
        On(async (context, n) => Done(await context.RunAsync(child, "no/slash", 0)));
        Assert.Contains("no/slash", await ErrorAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_ParentFailsMeanwhile_TheChildGoesOn()
    {
        var child = SlowChild();
        On(async (context, n) =>
        {
            var running = context.RunAsync(child, "child", n);
            await context.WaitUntilAsync(context.UtcNow + Units(0.2));
            return running.IsCompleted ? Done("too soon") : throw new InvalidDataException("bad plan");
        });
        Assert.Contains("bad plan", await ErrorAsync(6), StringComparison.Ordinal);
        Assert.Equal("6", (await _engine.CompleteAsync("child")).Output);
    }

    [Fact]
    public async Task RunAsync_NextGenerationOfTheParent_AttachesToTheSameChild()
    {
        var tally = new Tally();
        var child = SlowChild(tally);
        On(async (context, n) =>
        {
            if (n == 0)
            {
                _ = context.RunAsync(child, "child", 8);
                await context.WaitUntilAsync(context.UtcNow + Units(0.2));
                return Again(1);
            }

            return Done(await context.RunAsync(child, "child", 9));
        });
        Assert.Equal("8", await OutputAsync(0));
        Assert.Equal(1, tally["child"]);
    }

    private Workflow<int, int> SlowChild(Tally? tally = null)
    {
        var child = new Workflow<int, int>("Child");
        On(Double, _ => tally?.Add("child") ?? 0);
        On(child, async (context, n) =>
        {
            await context.CallAsync(Double, n);
            await context.WaitUntilAsync(context.UtcNow + Units(1));
            return Turn<int, int>.Done(n);
        });
        return child;
    }
}
