using System.Collections.Concurrent;
using System.Globalization;
using FedServerless.Local.Engine.Journal;
using FedServerless.Testing.Engine;
using FedServerless.Workflows.Engine;

namespace FedServerless.LocalHost.Tests.Engine;

/// <summary>One workflow that uses everything, stopped before and after every single write of the journal.</summary>
public sealed class EngineCrashTests
{
    private const string Expected = "\"fan 0,2,4 child 111 gate 7\"";

    [Fact]
    public async Task Run_Uninterrupted_HasTheExpectedOutputAndEffects()
    {
        await using var run = new Scenario(new JournalFaults());
        Assert.Equal(Expected, await run.CompleteAsync());
        Assert.Equal(0, run.Crashes);
        Assert.All(run.Effects.Values, runs => Assert.Equal(1, runs));
        Assert.Equal(Scenario.ExpectedEffects, run.Effects.Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(false, true)]
    public async Task Run_CrashAtEveryWrite_EndsTheSame(bool before, bool activitiesTwice)
    {
        var writes = await CountWritesAsync();
        for (var write = 0; write < writes; write++)
        {
            await using var run = new Scenario(before ? new JournalFaults { CrashBefore = write } : new JournalFaults { CrashAfter = write }, activitiesTwice);
            await run.AssertEndsAsync(Expected);
            Assert.True(run.Crashes <= 1);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public async Task Run_EveryProcessDiesAfterAFewWrites_EndsTheSame(int lifetime)
    {
        await using var run = new Scenario(new JournalFaults { LifetimeWrites = lifetime });
        await run.AssertEndsAsync(Expected);
        Assert.True(run.Crashes >= await CountWritesAsync() / lifetime / 2);
    }

    [Fact]
    public async Task Run_DiskFullAtEveryWrite_WaitsAndEndsTheSame()
    {
        var writes = await CountWritesAsync();
        for (var write = 0; write < writes; write++)
        {
            var faults = new JournalFaults { FullAt = write };
            await using var run = new Scenario(faults);
            await run.AssertEndsAsync(Expected);
            Assert.Equal(0, run.Crashes);
            Assert.Equal(faults.FullTimes, faults.Refused);
            Assert.All(run.Effects.Values, runs => Assert.Equal(1, runs));
        }
    }

    [Fact]
    public async Task Run_SqliteFilesAsTheCrashLeftThem_EndsTheSame()
    {
        // After one write is before the next: one sweep sees every state that the files can be left in.
        var writes = await CountWritesAsync();
        var root = Directory.CreateTempSubdirectory("fed-crash-");
        for (var write = 0; write < writes; write++)
        {
            using var files = new CrashedFiles(root.CreateSubdirectory($"{write}"));
            await using var run = new Scenario(new JournalFaults { CrashAfter = write }, false, files.Open);
            await run.AssertEndsAsync(Expected);
        }

        root.Delete(recursive: true);
    }

    private static async Task<int> CountWritesAsync()
    {
        var faults = new JournalFaults();
        await using var run = new Scenario(faults);
        await run.CompleteAsync();
        Assert.InRange(faults.Writes, 20, 60);
        return faults.Writes;
    }

    /// <summary>Hands every journal but the first a copy of the files as they lie on the disk, never closed by the process before.</summary>
    private sealed class CrashedFiles(DirectoryInfo root) : IDisposable
    {
        private readonly List<SqliteJournal> _opened = [];
        private string? _last;

        public Undisposed Open()
        {
            var folder = root.CreateSubdirectory($"{_opened.Count}").FullName;
            if (_last is not null)
            {
                foreach (var file in Directory.GetFiles(_last))
                {
                    File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
                }
            }

            _last = folder;
            var journal = new SqliteJournal(Path.Combine(folder, "journal.db"));
            _opened.Add(journal);
            return new Undisposed(journal);
        }

        public void Dispose() => _opened.ForEach(journal => journal.Dispose());
    }

    /// <summary>A journal that a dying process does not close.</summary>
    public sealed class Undisposed(IJournal inner) : IJournal
    {
        public void Open() => inner.Open();

        public IReadOnlyList<JournalInstance> ReadRunning() => inner.ReadRunning();

        public JournalInstance? Find(string instanceId) => inner.Find(instanceId);

        public IReadOnlyList<JournalEvent> ReadEvents(string instanceId, int generation) => inner.ReadEvents(instanceId, generation);

        public void Commit(IReadOnlyList<JournalWrite> batch) => inner.Commit(batch);

        public void Dispose()
        {
        }
    }

    private sealed class Scenario : IAsyncDisposable
    {
        private static readonly RetrySpec Retry = new(3, TimeSpan.FromSeconds(1), 2, TimeSpan.FromSeconds(10));
        private static readonly Workflow<string, string> Parent = new("Parent");
        private static readonly Workflow<int, int> Child = new("Child");
        private static readonly Activity<int, int> Fan = new("Fan", Retry);
        private static readonly Activity<int, int> Step = new("Step", Retry);
        private static readonly Activity<int, int> Signal = new("Signal", Retry);
        private static readonly Activity<int, int> Gate = new("Gate", Retry);

        private readonly WorkflowEnvironment _environment;
        private readonly ConcurrentDictionary<string, int> _gateTries = new(StringComparer.Ordinal);

        public Scenario(JournalFaults faults, bool activitiesTwice = false, Func<IJournal>? open = null)
        {
            var memory = new InMemoryJournal();
            _environment = new WorkflowEnvironment(openJournal: () => new FaultingJournal(open is null ? memory : open(), faults))
            {
                RunActivitiesTwice = activitiesTwice,
            };
            Register();
        }

        public static IEnumerable<string> ExpectedEffects { get; } = ["fan 0", "fan 1", "fan 2", "gate 7", "signal 0", "step 1", "step 10", "step 100"];

        public int Crashes { get; private set; }

        public ConcurrentDictionary<string, int> Effects { get; } = new(StringComparer.Ordinal);

        public ValueTask DisposeAsync() => _environment.DisposeAsync();

        public async Task AssertEndsAsync(string expected)
        {
            Assert.Equal(expected, await CompleteAsync());
            Assert.Equal(ExpectedEffects, Effects.Keys.Order(StringComparer.Ordinal));
            var most = (1 + Crashes) * (_environment.RunActivitiesTwice ? 2 : 1);
            Assert.All(Effects.Values, runs => Assert.InRange(runs, 1, most));
        }

        public async Task<string?> CompleteAsync()
        {
            // What the host does: after a restart it starts its run again under the same id, and that changes nothing.
            while (true)
            {
                try
                {
                    await _environment.StartAsync(Parent, "first", "p");
                    var status = await _environment.CompleteAsync("p");
                    Assert.Null(status.Error);
                    Assert.Equal("gated", status.Status);
                    return status.Output;
                }
                catch (Exception e) when (e is EngineEndedException or JournalException or SimulatedCrashException)
                {
                    Crashes++;
                    Assert.InRange(Crashes, 0, 200);
                    await _environment.RestartAsync();
                }
            }
        }

        private int Effect(string name, int result)
        {
            Effects.AddOrUpdate(name, 1, static (_, n) => n + 1);
            return result;
        }

        private void Register()
        {
            _environment.AddActivity(Fan, n => Effect($"fan {n}", n * 2));
            _environment.AddActivity(Step, n => Effect($"step {n}", n));
            _environment.AddActivity(Signal, async (n, cancellationToken) =>
            {
                await _environment.Client.WakeAsync("p", "go", cancellationToken);
                return Effect($"signal {n}", n);
            });
            _environment.AddActivity(Gate, n =>
                _gateTries.AddOrUpdate($"{n}", 1, static (_, tries) => tries + 1) == 1 ? throw new IOException("first try") : Effect($"gate {n}", n));
            _environment.AddWorkflow(Parent, RunParentAsync);
            _environment.AddWorkflow(Child, RunChildAsync);
        }

        private static async Task<Turn<string, string>> RunParentAsync(IWorkflowContext context, string input)
        {
            if (input != "first")
            {
                var gate = await context.CallAsync(Gate, 7);
                context.SetStatus("gated");
                return Turn<string, string>.Done($"{input} gate {gate}");
            }

            context.SetStatus("fanning");
            var fan = await context.FanOutAsync(Fan, [0, 1, 2]);
            await context.WaitUntilAsync(context.UtcNow.AddHours(1));
            context.SetStatus("waiting");
            await context.CallAsync(Signal, 0);
            await context.WaitForEventAsync("go", context.UtcNow.AddDays(2));
            var child = await context.RunAsync(Child, "p-child", 0);
            var sum = string.Join(',', fan.Select(n => n.ToString(CultureInfo.InvariantCulture)));
            return Turn<string, string>.Again($"fan {sum} child {child}");
        }

        private static async Task<Turn<int, int>> RunChildAsync(IWorkflowContext context, int sum)
        {
            var next = sum + await context.CallAsync(Step, sum switch { 0 => 1, 1 => 10, _ => 100 });
            await context.WaitUntilAsync(context.UtcNow.AddMinutes(5));
            return next < 111 ? Turn<int, int>.Again(next) : Turn<int, int>.Done(next);
        }
    }
}
