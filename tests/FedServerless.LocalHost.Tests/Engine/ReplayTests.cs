using FedServerless.Testing.Engine;
using FedServerless.Workflows.Engine;

namespace FedServerless.LocalHost.Tests.Engine;

/// <summary>Replays of a journal by the code that wrote it, and by other code.</summary>
public sealed class ReplayTests
{
    private const int ReplayMismatch = 2004;
    private static readonly RetrySpec Once = new(1, TimeSpan.Zero, 1, TimeSpan.Zero);
    private static readonly Workflow<int, string> Main = new("Main");
    private static readonly Activity<int, int> Double = new("Double", Once);
    private static readonly Activity<int, int> Triple = new("Triple", Once);
    private static readonly Activity<int, string> DoubleAsText = new("Double", Once);

    public static TheoryData<string, Func<IWorkflowContext, int, Task<Turn<int, string>>>> OtherCode => new()
    {
        { "other input", async (context, n) => Turn<int, string>.Done($"new {await context.CallAsync(Double, n + 1)}") },
        { "other activity", async (context, n) => Turn<int, string>.Done($"new {await context.CallAsync(Triple, n)}") },
        {
            "other kind",
            async (context, n) =>
            {
                await context.WaitUntilAsync(context.UtcNow.AddMinutes(1));
                return Turn<int, string>.Done("new 0");
            }
        },
        { "no call", (_, n) => Task.FromResult(Turn<int, string>.Done($"new {n}")) },
        { "other result", async (context, n) => Turn<int, string>.Done($"new {await context.CallAsync(DoubleAsText, n)}") },
    };

    [Theory]
    [MemberData(nameof(OtherCode))]
    public async Task Replay_ByOtherCode_StartsAgainFromTheInputAndSaysSo(string difference, Func<IWorkflowContext, int, Task<Turn<int, string>>> code)
    {
        var journal = await RecordAsync();
        await using var second = new WorkflowEnvironment(openJournal: () => journal);
        if (difference == "other result")
        {
            second.AddActivity(DoubleAsText, n => $"{n * 2}");
        }
        else
        {
            second.AddActivity(Double, n => n * 2);
        }

        second.AddActivity(Triple, n => n * 3);
        second.AddWorkflow(Main, code);
        var status = await second.CompleteAsync("a");
        Assert.Equal(WorkflowPhase.Completed, status.Phase);
        Assert.StartsWith("\"new ", status.Output, StringComparison.Ordinal);
        Assert.Equal(1, second.Engine.ReplayRestarts);
        Assert.Single(second.LogLines(ReplayMismatch));
    }

    [Fact]
    public async Task Replay_AfterARestartFromTheInput_FollowsTheNewJournal()
    {
        var journal = await RecordAsync();
        await using var second = new WorkflowEnvironment(openJournal: () => journal);
        second.AddActivity(Triple, n => n * 3);
        second.AddWorkflow(Main, async (context, n) =>
        {
            var tripled = await context.CallAsync(Triple, n);
            await context.WaitUntilAsync(context.UtcNow.AddHours(1));
            return Turn<int, string>.Done($"new {tripled}");
        });
        await second.RunUntilIdleAsync();
        await second.RestartAsync();
        Assert.Equal("\"new 15\"", (await second.CompleteAsync("a")).Output);
        Assert.Equal(0, second.Engine.ReplayRestarts);
    }

    [Fact]
    public async Task Replay_OfARecordedHistoryFile_MatchesTheCode()
    {
        var file = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Histories", "engine-everything.json"));
        var history = WorkflowHistory.Parse(file);
        await using var environment = new WorkflowEnvironment(openJournal: () => history.ToJournal());
        RegisterEverything(environment);
        await environment.RunUntilIdleAsync();
        Assert.Equal(0, environment.Engine.ReplayRestarts);
        Assert.Equal("looking 2", (await environment.Client.GetStatusAsync("golden", CancellationToken.None))!.Status);
    }

    [Fact]
    public async Task WorkflowHistory_OfTheSameRun_IsWhatTheFileHas()
    {
        var journal = new InMemoryJournal();
        await using var environment = new WorkflowEnvironment(openJournal: () => journal);
        RegisterEverything(environment);
        await environment.StartAsync(Main, 3, "golden");
        await environment.AdvanceAsync(TimeSpan.FromHours(1));
        var recorded = WorkflowHistory.From(journal.Writes, "golden", 0).ToJson();
        var file = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Histories", "engine-everything.json"));
        Assert.Equal(file.ReplaceLineEndings("\n").TrimEnd(), recorded.ReplaceLineEndings("\n"));
    }

    private static async Task<InMemoryJournal> RecordAsync()
    {
        var journal = new InMemoryJournal();
        await using var first = new WorkflowEnvironment(openJournal: () => journal);
        first.AddActivity(Double, n => n * 2);
        first.AddWorkflow(Main, async (context, n) =>
        {
            var doubled = await context.CallAsync(Double, n);
            await context.WaitUntilAsync(context.UtcNow.AddHours(1));
            return Turn<int, string>.Done($"old {doubled}");
        });
        await first.StartAsync(Main, 5, "a");
        await first.RunUntilIdleAsync();
        return journal;
    }

    private static void RegisterEverything(WorkflowEnvironment environment)
    {
        var child = new Workflow<int, int>("Child");
        environment.Options.MaxConcurrentActivities = 1;
        environment.AddActivity(Double, n => n * 2);
        environment.AddActivity(Triple, int (n) => throw new IOException("no disk"));
        environment.AddWorkflow(child, (_, n) => Task.FromResult(Turn<int, int>.Done(n + 1)));
        environment.AddWorkflow(Main, async (context, n) =>
        {
            var doubled = await context.FanOutAsync(Double, [.. Enumerable.Range(0, n)]);
            var next = await context.RunAsync(child, "golden-child", doubled.Sum());
            try
            {
                await context.CallAsync(Triple, next);
            }
            catch (WorkflowStepException)
            {
                await context.WaitUntilAsync(context.UtcNow.AddMinutes(10));
            }

            for (var look = 0; ; look++)
            {
                context.SetStatus($"looking {look}");
                await context.WaitForEventAsync("quorum", context.UtcNow.AddMinutes(20));
            }
        });
    }
}
