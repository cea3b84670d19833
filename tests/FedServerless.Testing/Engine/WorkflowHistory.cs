using System.Text.Json;
using System.Text.Json.Serialization;
using FedServerless.Local.Engine.Journal;
using FedServerless.Workflows.Engine;

namespace FedServerless.Testing.Engine;

/// <summary>
/// One generation of an instance as a journal recorded it. Kept as a file under <c>Histories/</c> and replayed on every build:
/// a change of a workflow that would not follow it breaks the test before it breaks a run.
/// </summary>
public sealed record WorkflowHistory(string Workflow, string InstanceId, int Generation, string Input, DateTimeOffset StartedAt, IReadOnlyList<JournalEvent> Events)
{
    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>Takes a generation out of all writes that a journal was given.</summary>
    public static WorkflowHistory From(IEnumerable<JournalWrite> writes, string instanceId, int generation)
    {
        var own = writes.Where(write => write.InstanceId == instanceId).ToList();
        var create = own.OfType<JournalWrite.Create>().Last();
        var next = own.OfType<JournalWrite.NextGeneration>().LastOrDefault(write => write.Generation == generation);
        var events = own.OfType<JournalWrite.Append>().Where(write => write.Generation == generation).Select(write => write.Event).ToList();
        return new(create.Workflow, instanceId, generation, next?.Input ?? create.Input, next?.At ?? create.At, events);
    }

    /// <summary>Reads a history file.</summary>
    public static WorkflowHistory Parse(string json) => JsonSerializer.Deserialize<WorkflowHistory>(json, Format)!;

    /// <summary>Writes a history file.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Format);

    /// <summary>A journal that a process left after recording exactly this, for <see cref="WorkflowEnvironment"/>.</summary>
    public InMemoryJournal ToJournal()
    {
        var journal = new InMemoryJournal();
        journal.Seed(new(InstanceId, Workflow, Generation, Input, StartedAt, WorkflowPhase.Running, null, null, null), Events);
        return journal;
    }
}
