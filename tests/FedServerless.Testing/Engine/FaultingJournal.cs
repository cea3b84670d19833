using FedServerless.Local.Engine.Journal;

namespace FedServerless.Testing.Engine;

/// <summary>
/// A journal whose process dies, or whose disk is full, at a chosen write. It gives every write a commit of its own, so that a
/// crash can fall between any two.
/// </summary>
public sealed class FaultingJournal(IJournal inner, JournalFaults faults) : IJournal
{
    private volatile bool _isDead;

    public void Open()
    {
        ThrowIfDead();
        inner.Open();
    }

    public IReadOnlyList<JournalInstance> ReadRunning()
    {
        ThrowIfDead();
        return inner.ReadRunning();
    }

    public JournalInstance? Find(string instanceId)
    {
        ThrowIfDead();
        return inner.Find(instanceId);
    }

    public IReadOnlyList<JournalEvent> ReadEvents(string instanceId, int generation)
    {
        ThrowIfDead();
        return inner.ReadEvents(instanceId, generation);
    }

    public void Commit(IReadOnlyList<JournalWrite> batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ThrowIfDead();
        faults.ThrowIfFull(batch.Count);
        foreach (var write in batch)
        {
            var number = faults.Next();
            if (faults.CrashBefore == number)
            {
                Die($"before write {number}, {write.GetType().Name}");
            }

            inner.Commit([write]);
            if (faults.CrashAfter == number || faults.IsLifetimeOver())
            {
                Die($"after write {number}, {write.GetType().Name}");
            }
        }
    }

    public void Dispose() => inner.Dispose();

    private void ThrowIfDead()
    {
        if (_isDead)
        {
            throw new SimulatedCrashException("in the past");
        }
    }

    private void Die(string when)
    {
        _isDead = true;
        throw new SimulatedCrashException(when);
    }
}

/// <summary>When a <see cref="FaultingJournal"/> fails. Given to every journal of a test in turn: it counts writes over restarts, from 0.</summary>
public sealed class JournalFaults
{
    private int _writes;
    private int _sinceCrash;
    private int _fullLeft;

    /// <summary>The process dies before this write reaches the journal.</summary>
    public int? CrashBefore { get; init; }

    /// <summary>The process dies when this write is durable and nobody knows.</summary>
    public int? CrashAfter { get; init; }

    /// <summary>Every process dies after so many writes.</summary>
    public int? LifetimeWrites { get; init; }

    /// <summary>From the commit that holds this write on, the disk is full for <see cref="FullTimes"/> attempts.</summary>
    public int? FullAt { get; init; }

    /// <summary>How often a full disk refuses before there is room.</summary>
    public int FullTimes { get; init; } = 3;

    /// <summary>Writes so far.</summary>
    public int Writes => _writes;

    /// <summary>Attempts refused for a full disk so far.</summary>
    public int Refused { get; private set; }

    internal int Next()
    {
        _sinceCrash++;
        return _writes++;
    }

    internal bool IsLifetimeOver()
    {
        if (_sinceCrash < LifetimeWrites.GetValueOrDefault(int.MaxValue))
        {
            return false;
        }

        _sinceCrash = 0;
        return true;
    }

    internal void ThrowIfFull(int count)
    {
        if (_writes + count > FullAt && Refused == 0)
        {
            _fullLeft = FullTimes;
        }

        if (_fullLeft > 0)
        {
            _fullLeft--;
            Refused++;
            throw new JournalException(JournalFault.Full, "No room to write the journal (injected).");
        }
    }
}

/// <summary>The process is gone, as far as the test is concerned.</summary>
public sealed class SimulatedCrashException(string when) : Exception($"Crashed {when}.");
