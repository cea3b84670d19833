using FedServerless.Workflows.Engine;
using Xunit;

namespace FedServerless.Testing.Engine;

/// <summary>Timers, wakes, the clock.</summary>
public abstract partial class EngineConformanceTests
{
    [Fact]
    public async Task WaitUntilAsync_LaterMoment_CompletesNotBefore()
    {
        On(async (context, n) =>
        {
            var until = context.UtcNow + Units(2);
            await context.WaitUntilAsync(until);
            return Done(context.UtcNow >= until);
        });
        Assert.Equal("True", await OutputAsync());
    }

    [Fact]
    public async Task WaitUntilAsync_PassedMoment_CompletesAtOnce()
    {
        On(async (context, n) =>
        {
            var before = context.UtcNow;
            await context.WaitUntilAsync(before);
            await context.WaitUntilAsync(before - Units(1));
            return Done(context.UtcNow == before);
        });
        Assert.Equal("True", await OutputAsync());
    }

    [Fact]
    public async Task WaitUntilAsync_BeforeItsMoment_TheInstanceRuns()
    {
        On(async (context, n) =>
        {
            await context.WaitUntilAsync(context.UtcNow + Units(2));
            return Done("late");
        });
        await StartAsync();
        await _engine.AdvanceAsync(Units(1));
        Assert.Equal(WorkflowPhase.Running, (await StatusAsync())!.Phase);
        await _engine.AdvanceAsync(Units(2));
        Assert.Equal(WorkflowPhase.Completed, (await StatusAsync())!.Phase);
    }

    [Fact]
    public async Task UtcNow_BetweenAwaits_StandsStill()
    {
        On(Double, n => n * 2);
        On(async (context, n) =>
        {
            var first = context.UtcNow;
            Thread.SpinWait(100_000);
            var still = context.UtcNow == first;
            await context.CallAsync(Double, 1);
            return Done(still && context.UtcNow >= first);
        });
        Assert.Equal("True", await OutputAsync());
    }

    [Fact]
    public async Task WaitForEventAsync_NoWake_GivesFalseAtTheMoment()
    {
        On(async (context, n) =>
        {
            var until = context.UtcNow + Units(2);
            var woken = await context.WaitForEventAsync("go", until);
            return Done($"{woken} {context.UtcNow >= until}");
        });
        Assert.Equal("False True", await OutputAsync());
    }

    [Fact]
    public async Task WaitForEventAsync_PassedMoment_GivesFalseAtOnce()
    {
        On(async (context, n) => Done(await context.WaitForEventAsync("go", context.UtcNow)));
        Assert.Equal("False", await OutputAsync());
    }

    [Fact]
    public async Task WaitForEventAsync_Woken_GivesTrueBeforeTheMoment()
    {
        On(async (context, n) =>
        {
            var until = context.UtcNow + Units(2);
            var woken = await context.WaitForEventAsync("go", until);
            return Done($"{woken} {context.UtcNow < until}");
        });
        await StartAsync();
        await _engine.AdvanceAsync(Units(0.5));
        await WakeAsync("go");
        await _engine.AdvanceAsync(Units(0.5));
        Assert.Equal("\"True True\"", (await StatusAsync())!.Output);
    }

    [Fact]
    public async Task WaitForEventAsync_Woken_LeavesNoTimerBehind()
    {
        On(async (context, n) =>
        {
            var woken = await context.WaitForEventAsync("go", context.UtcNow + Units(2));
            var again = await context.WaitForEventAsync("go", context.UtcNow + Units(4));
            return Done($"{woken} {again}");
        });
        await StartAsync();
        await _engine.AdvanceAsync(Units(0.5));
        await WakeAsync("go");
        await _engine.AdvanceAsync(Units(2.5));
        Assert.Equal(WorkflowPhase.Running, (await StatusAsync())!.Phase);
        await AssertOutputAsync("True False");
    }

    [Fact]
    public async Task WakeAsync_OtherName_DoesNotEndTheWait()
    {
        On(async (context, n) => Done(await context.WaitForEventAsync("go", context.UtcNow + Units(2))));
        await StartAsync();
        await WakeAsync("stop");
        await AssertOutputAsync("False");
    }

    [Fact]
    public async Task WakeAsync_ManyTimes_ChangesWhenAndNotWhat()
    {
        On(Double, n => n * 2);
        On(async (context, n) =>
        {
            // The shape of every wait in a round: look at the truth, wait, look again.
            var deadline = context.UtcNow + Units(2);
            var looks = 0;
            while (context.UtcNow < deadline)
            {
                await context.CallAsync(Double, looks++);
                await context.WaitForEventAsync("go", deadline);
            }

            return Done(context.UtcNow >= deadline && looks > 0);
        });
        await StartAsync();
        for (var i = 0; i < 50; i++)
        {
            await WakeAsync("go");
        }

        await AssertOutputAsync("True");
    }

    [Fact]
    public async Task WakeAsync_UnknownOrEndedInstance_DoesNothing()
    {
        On((_, _) => Task.FromResult(Done("x")));
        await WakeAsync("go", "nobody");
        await RunAsync();
        await WakeAsync("go");
        Assert.Equal(WorkflowPhase.Completed, (await StatusAsync())!.Phase);
        Assert.Null(await StatusAsync("nobody"));
    }

    [Fact]
    public async Task WaitForEventAsync_TimedOutOnce_CanStillBeWoken()
    {
        On(async (context, n) =>
        {
            var first = await context.WaitForEventAsync("go", context.UtcNow + Units(0.3));
            var second = await context.WaitForEventAsync("go", context.UtcNow + Units(20));
            return Done($"{first} {second}");
        });
        await StartAsync();
        await _engine.AdvanceAsync(Units(1));
        await WakeAsync("go");
        await _engine.AdvanceAsync(Units(0.5));
        Assert.Equal("\"False True\"", (await StatusAsync())!.Output);
    }

    [Fact]
    public async Task WakeAsync_ManyBeforeTheWait_EndOneWaitAtMost()
    {
        On(async (context, n) =>
        {
            await context.WaitUntilAsync(context.UtcNow + Units(1));
            await context.WaitForEventAsync("go", context.UtcNow + Units(0.3));
            return Done(await context.WaitForEventAsync("go", context.UtcNow + Units(0.3)));
        });
        await StartAsync();
        await _engine.AdvanceAsync(Units(0.2));
        for (var i = 0; i < 20; i++)
        {
            await WakeAsync("go");
        }

        await AssertOutputAsync("False");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(30)]
    public async Task WakeAsync_LostOrRepeated_ChangesWhenAndNotWhat(int wakes)
    {
        // What a round does: it looks at the truth, which is there before anybody wakes it, and the same comes of it in every case.
        var isThere = new TaskCompletionSource();
        var look = new Activity<int, bool>("Look", Once);
        On(look, _ => isThere.Task.IsCompleted);
        On(async (context, n) =>
        {
            var deadline = context.UtcNow + Units(4);
            while (!await context.CallAsync(look, n) && context.UtcNow < deadline)
            {
                await context.WaitForEventAsync("go", context.UtcNow + Units(1));
            }

            return Done(await context.CallAsync(look, n));
        });
        await StartAsync();
        await _engine.AdvanceAsync(Units(0.3));
        isThere.SetResult();
        for (var i = 0; i < wakes; i++)
        {
            await WakeAsync("go");
        }

        await AssertOutputAsync("True");
    }
}
