using FedServerless.Local.Engine.Journal;

namespace FedServerless.Local.Engine;

/// <summary>Writes that share a transaction, and what happens once they are durable, in the same order.</summary>
internal sealed class JournalBatch
{
    private readonly List<JournalWrite> _writes = [];
    private readonly List<Action> _after = [];

    public IReadOnlyList<JournalWrite> Writes => _writes;

    public IReadOnlyList<Action> After => _after;

    public bool HasWork => _after.Count > 0;

    public void Add(JournalWrite write, Action after)
    {
        _writes.Add(write);
        _after.Add(after);
    }

    /// <summary>Does something once all that was added before is durable.</summary>
    public void Then(Action after) => _after.Add(after);
}
