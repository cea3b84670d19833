namespace FedServerless.Testing.Storage;

/// <summary>One write that a <see cref="FaultInjectingStore"/> saw.</summary>
/// <param name="Number">Counting from 1, over puts and deletes together.</param>
/// <param name="Kind">Put or delete.</param>
/// <param name="Name">The object.</param>
public sealed record StoreWrite(int Number, StoreWriteKind Kind, string Name);

public enum StoreWriteKind
{
    Put,
    Delete,
}

/// <summary>What is to happen to a write.</summary>
public enum StoreFault
{
    /// <summary>Nothing: it goes through.</summary>
    None = 0,

    /// <summary>The process dies before the write: nothing is written, and every later call throws too.</summary>
    CrashBefore,

    /// <summary>The process dies after the write: it is there, nobody was told, and every later call throws too.</summary>
    CrashAfter,

    /// <summary>The write fails with an <see cref="IOException"/>; the store lives on.</summary>
    FailBefore,

    /// <summary>The write happens and its answer is lost: an <see cref="IOException"/>; the store lives on.</summary>
    FailAfter,

    /// <summary>No room: <see cref="FedServerless.Storage.StoreFullException"/>, nothing written; the store lives on.</summary>
    Full,

    /// <summary>The write is sent twice, as a transport that retries does; the first answer counts.</summary>
    Twice,
}

/// <summary>A <see cref="FaultInjectingStore"/> stopped here: the process it plays is dead.</summary>
public sealed class SimulatedCrashException(StoreWrite? at)
    : Exception(at is null ? "The simulated process is dead." : $"Simulated crash at write {at.Number}, {at.Kind} '{at.Name}'.");
