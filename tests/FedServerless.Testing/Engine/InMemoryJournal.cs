using FedServerless.Local.Engine.Journal;
using FedServerless.Workflows.Engine;

namespace FedServerless.Testing.Engine;

/// <summary>A journal that forgets nothing when an engine lets go of it: hand the same one to the next engine and that is a restart.</summary>
public sealed class InMemoryJournal : IJournal
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, Entry> _instances = new(StringComparer.Ordinal);

    private readonly List<JournalWrite> _writes = [];

    /// <summary>Commits so far.</summary>
    public int Commits { get; private set; }

    /// <summary>Every write so far, also of what has been forgotten since.</summary>
    public IReadOnlyList<JournalWrite> Writes
    {
        get
        {
            lock (_gate)
            {
                return [.. _writes];
            }
        }
    }

    public void Open()
    {
    }

    public IReadOnlyList<JournalInstance> ReadRunning()
    {
        lock (_gate)
        {
            return [.. _instances.Values.Select(entry => entry.Row).Where(row => row.Phase == WorkflowPhase.Running)];
        }
    }

    public JournalInstance? Find(string instanceId)
    {
        lock (_gate)
        {
            return _instances.TryGetValue(instanceId, out var entry) ? entry.Row : null;
        }
    }

    public IReadOnlyList<JournalEvent> ReadEvents(string instanceId, int generation)
    {
        lock (_gate)
        {
            return [.. _instances[instanceId].Events.Where(e => e.Key.Generation == generation).Select(e => e.Value)];
        }
    }

    public void Commit(IReadOnlyList<JournalWrite> batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        lock (_gate)
        {
            Commits++;
            _writes.AddRange(batch);
            foreach (var write in batch)
            {
                Apply(write);
            }
        }
    }

    /// <summary>Puts a recorded history in: what a journal written by other code would hold.</summary>
    public void Seed(JournalInstance row, IEnumerable<JournalEvent> events)
    {
        ArgumentNullException.ThrowIfNull(row);
        lock (_gate)
        {
            var entry = new Entry(row);
            foreach (var e in events)
            {
                entry.Events.Add((row.Generation, e.Ordinal), e);
            }

            _instances[row.Id] = entry;
        }
    }

    public void Dispose()
    {
    }

    private void Apply(JournalWrite write)
    {
        if (write is JournalWrite.Create c)
        {
            _instances.TryAdd(c.InstanceId, new Entry(new(c.InstanceId, c.Workflow, 0, c.Input, c.At, WorkflowPhase.Running, null, null, null)));
            return;
        }

        if (!_instances.TryGetValue(write.InstanceId, out var entry))
        {
            return;
        }

        switch (write)
        {
            case JournalWrite.Append a:
                entry.Events.TryAdd((a.Generation, a.Event.Ordinal), a.Event);
                break;
            case JournalWrite.SetStatus s:
                entry.Row = entry.Row with { Status = s.Status };
                break;
            case JournalWrite.NextGeneration n:
                foreach (var old in entry.Events.Keys.Where(key => key.Generation < n.Generation).ToList())
                {
                    entry.Events.Remove(old);
                }

                entry.Row = entry.Row with { Generation = n.Generation, Input = n.Input, StartedAt = n.At };
                break;
            case JournalWrite.Complete d:
                entry.Events.Clear();
                entry.Row = entry.Row with { Phase = WorkflowPhase.Completed, Output = d.Output };
                break;
            case JournalWrite.Fail f:
                entry.Row = entry.Row with { Phase = WorkflowPhase.Failed, Failure = f.Failure };
                break;
            case JournalWrite.Purge:
                _instances.Remove(write.InstanceId);
                break;
            default:
                throw new ArgumentException($"Unknown journal write {write.GetType().Name}.", nameof(write));
        }
    }

    private sealed class Entry(JournalInstance row)
    {
        public JournalInstance Row { get; set; } = row;

        public SortedDictionary<(int Generation, int Ordinal), JournalEvent> Events { get; } = [];
    }
}
