using FedServerless.Local.Engine.Journal;
using FedServerless.Testing.Engine;
using FedServerless.Workflows.Engine;

namespace FedServerless.LocalHost.Tests.Engine;

/// <summary>What <see cref="IJournal"/> promises.</summary>
public abstract class JournalConformanceTests : IDisposable
{
    private static readonly DateTimeOffset At = new(2026, 5, 1, 12, 0, 0, 123, TimeSpan.Zero);

    public virtual void Dispose() => GC.SuppressFinalize(this);

    protected abstract IJournal Open();

    [Fact]
    public void Commit_Create_IsFoundAsGiven()
    {
        using var journal = Open();
        journal.Commit([Create("a")]);
        Assert.Equal(new JournalInstance("a", "W", 0, "{}", At, WorkflowPhase.Running, null, null, null), journal.Find("a"));
        Assert.Null(journal.Find("b"));
    }

    [Fact]
    public void Commit_CreateOfAKnownId_ChangesNothing()
    {
        using var journal = Open();
        journal.Commit([Create("a")]);
        journal.Commit([new JournalWrite.Create("a", "Other", "1", At.AddDays(1))]);
        Assert.Equal("W", journal.Find("a")!.Workflow);
    }

    [Fact]
    public void ReadEvents_AppendedEvents_ComeBackInOrder()
    {
        using var journal = Open();
        JournalEvent[] events =
        [
            new(0, 2, CallKind.Activity, "A", "d0", At, "1", null),
            new(1, 0, CallKind.Event, "go", "d1", At.AddTicks(1), null, new("T", "m")),
            new(2, 1, CallKind.Timer, "", "d2", At.AddTicks(2), "é\u0000x", null),
        ];
        journal.Commit([Create("a"), Create("b"), .. events.Select(e => new JournalWrite.Append("a", 0, e))]);
        Assert.Equal(events, journal.ReadEvents("a", 0));
        Assert.Empty(journal.ReadEvents("b", 0));
    }

    [Fact]
    public void Commit_NextGeneration_ForgetsEarlierEventsAndKeepsLater()
    {
        using var journal = Open();
        journal.Commit([Create("a"), Append("a", 0), new JournalWrite.NextGeneration("a", 1, "2", At.AddHours(1)), Append("a", 1)]);
        Assert.Empty(journal.ReadEvents("a", 0));
        Assert.Single(journal.ReadEvents("a", 1));
        var row = journal.Find("a")!;
        Assert.Equal((1, "2", At.AddHours(1)), (row.Generation, row.Input, row.StartedAt));
    }

    [Fact]
    public void Commit_Complete_ForgetsEventsAndKeepsTheOutput()
    {
        using var journal = Open();
        journal.Commit([Create("a"), Append("a", 0), new JournalWrite.SetStatus("a", "nearly"), new JournalWrite.Complete("a", "42")]);
        Assert.Empty(journal.ReadEvents("a", 0));
        var row = journal.Find("a")!;
        Assert.Equal((WorkflowPhase.Completed, "42", "nearly"), (row.Phase, row.Output, row.Status));
        Assert.Empty(journal.ReadRunning());
    }

    [Fact]
    public void Commit_Fail_KeepsEventsForWhoeverLooks()
    {
        using var journal = Open();
        journal.Commit([Create("a"), Append("a", 0), new JournalWrite.Fail("a", new("T", "why"))]);
        Assert.Single(journal.ReadEvents("a", 0));
        Assert.Equal(new StepFailure("T", "why"), journal.Find("a")!.Failure);
        Assert.Empty(journal.ReadRunning());
    }

    [Fact]
    public void Commit_Purge_ForgetsEverything()
    {
        using var journal = Open();
        journal.Commit([Create("a"), Append("a", 0), new JournalWrite.Fail("a", new("T", "why"))]);
        journal.Commit([new JournalWrite.Purge("a"), Create("a")]);
        Assert.Empty(journal.ReadEvents("a", 0));
        Assert.Equal(WorkflowPhase.Running, journal.Find("a")!.Phase);
    }

    [Fact]
    public void ReadRunning_SomeEnded_GivesTheOthersInOrderOfId()
    {
        using var journal = Open();
        journal.Commit([Create("c"), Create("B"), Create("a"), Create("d"), new JournalWrite.Complete("d", "1")]);
        Assert.Equal(["B", "a", "c"], journal.ReadRunning().Select(row => row.Id));
    }

    [Fact]
    public void Commit_TheSameBatchTwice_IsCommittingItOnce()
    {
        using var journal = Open();
        JournalWrite[] batch =
        [
            Create("a"), Append("a", 0), new JournalWrite.NextGeneration("a", 1, "2", At), Append("a", 1),
            Create("b"), Append("b", 0), new JournalWrite.Complete("b", "1"),
            Create("c"), new JournalWrite.Fail("c", new("T", "m")), new JournalWrite.Purge("c"), Create("c"),
        ];
        journal.Commit(batch);
        var once = (journal.Find("a"), journal.Find("b"), journal.Find("c"), journal.ReadEvents("a", 1).Count);
        journal.Commit(batch);
        Assert.Equal(once, (journal.Find("a"), journal.Find("b"), journal.Find("c"), journal.ReadEvents("a", 1).Count));
        Assert.Empty(journal.ReadEvents("a", 0));
        Assert.Empty(journal.ReadEvents("b", 0));
    }

    protected static JournalWrite Create(string id) => new JournalWrite.Create(id, "W", "{}", At);

    protected static JournalWrite Append(string id, int generation, string output = "1") =>
        new JournalWrite.Append(id, generation, new(0, 0, CallKind.Activity, "A", "d", At, output, null));
}

public sealed class InMemoryJournalConformanceTests : JournalConformanceTests
{
    protected override IJournal Open() => new InMemoryJournal();
}

public sealed class SqliteJournalTests : JournalConformanceTests
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fed-journal-");

    private string FilePath => Path.Combine(_folder.FullName, "journal.db");

    public override void Dispose()
    {
        _folder.Delete(recursive: true);
        base.Dispose();
    }

    [Fact]
    public void Open_AgainAfterDispose_HasWhatWasCommitted()
    {
        using (var first = Open())
        {
            first.Commit([Create("a"), Append("a", 0)]);
        }

        using var second = Open();
        Assert.Single(second.ReadRunning());
        Assert.Single(second.ReadEvents("a", 0));
    }

    [Fact]
    public void Open_WhileAnotherHasIt_IsRefused()
    {
        using var first = Open();
        first.Commit([Create("a")]);
        using var second = new SqliteJournal(FilePath);
        var e = Assert.Throws<JournalException>(second.Open);
        Assert.Equal(JournalFault.InUse, e.Fault);
        Assert.Contains("Another host", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_NotADatabase_SaysWhatToDo()
    {
        File.WriteAllText(FilePath, new string('x', 10_000));
        using var journal = new SqliteJournal(FilePath);
        var e = Assert.Throws<JournalException>(journal.Open);
        Assert.Equal(JournalFault.Unreadable, e.Fault);
        Assert.Contains("fed run recover", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_APageOverwritten_SaysWhatToDo()
    {
        using (var journal = Open())
        {
            journal.Commit([.. Enumerable.Range(0, 200).SelectMany(i => new[] { Create($"a{i}"), Append($"a{i}", 0, new string('x', 500)) })]);
        }

        using (var file = File.OpenWrite(FilePath))
        {
            file.Position = file.Length / 2;
            file.Write(Enumerable.Repeat((byte)0xA5, 4096).ToArray());
        }

        using var damaged = new SqliteJournal(FilePath);
        Assert.Equal(JournalFault.Unreadable, Assert.Throws<JournalException>(damaged.Open).Fault);
    }

    [Fact]
    public void Open_NewerFormat_IsRefused()
    {
        using (Open())
        {
        }

        using (var session = new SqliteSession(FilePath))
        {
            session.Execute($"PRAGMA user_version = {SqliteJournal.FormatVersion + 1}");
        }

        using var journal = new SqliteJournal(FilePath);
        var e = Assert.Throws<JournalException>(journal.Open);
        Assert.Equal(JournalFault.Unreadable, e.Fault);
        Assert.Contains("newer build", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_FileDeleted_StartsEmpty()
    {
        using (var journal = Open())
        {
            journal.Commit([Create("a")]);
        }

        File.Delete(FilePath);
        using var empty = Open();
        Assert.Empty(empty.ReadRunning());
    }

    [Fact]
    public void Commit_FileIsFull_AppliesNothingAndTakesTheBatchLater()
    {
        using var journal = (SqliteJournal)Open();
        journal.Commit([Create("a")]);
        JournalWrite[] batch = [Create("b"), .. Enumerable.Range(0, 100).SelectMany(i => new[] { Create($"c{i}"), Append($"c{i}", 0, new string('x', 4000)) })];
        journal.LimitPages(20);
        Assert.Equal(JournalFault.Full, Assert.Throws<JournalException>(() => journal.Commit(batch)).Fault);
        Assert.Equal(["a"], journal.ReadRunning().Select(row => row.Id));

        // The limit belonged to the connection, which the failure closed: there is room again.
        journal.Commit(batch);
        Assert.Equal(102, journal.ReadRunning().Count);
    }

    protected override IJournal Open()
    {
        var journal = new SqliteJournal(FilePath);
        journal.Open();
        return journal;
    }
}
