namespace FedServerless.Local.Engine.Journal;

/// <summary>
/// What the embedded engine remembers. One engine uses a journal at a time; the engine writes from one thread and reads from any.
/// Every failure is a <see cref="JournalException"/>.
/// </summary>
public interface IJournal : IDisposable
{
    /// <summary>Opens or creates the journal and checks that it is whole, of a known version, and nobody else's.</summary>
    void Open();

    /// <summary>Every instance that has not ended, in ordinal order of id.</summary>
    IReadOnlyList<JournalInstance> ReadRunning();

    /// <summary>One instance, ended or not; null when it was never started or was purged.</summary>
    JournalInstance? Find(string instanceId);

    /// <summary>The events of an instance's present generation, in order.</summary>
    IReadOnlyList<JournalEvent> ReadEvents(string instanceId, int generation);

    /// <summary>
    /// Applies all writes in order, or none. On return they survive a power cut. A batch whose commit failed may be given again,
    /// even when it had in truth been applied: applying a batch twice is applying it once.
    /// </summary>
    void Commit(IReadOnlyList<JournalWrite> batch);
}
