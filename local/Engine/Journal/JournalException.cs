namespace FedServerless.Local.Engine.Journal;

/// <summary>The journal cannot be read or written.</summary>
public sealed class JournalException : Exception
{
    /// <summary>Creates the exception.</summary>
    public JournalException(JournalFault fault, string message, Exception? innerException = null)
        : base(message, innerException) => Fault = fault;

    /// <summary>What kind of trouble, and so what helps.</summary>
    public JournalFault Fault { get; }
}

/// <summary>Kinds of trouble with a journal.</summary>
public enum JournalFault
{
    /// <summary>The disk or a quota is exhausted: the engine tries again until there is room.</summary>
    Full = 0,

    /// <summary>The system refused a read or write: the engine tries again.</summary>
    Unavailable,

    /// <summary>Another process has the journal open.</summary>
    InUse,

    /// <summary>The file is damaged, or not a journal, or of a newer version: trying again cannot help.</summary>
    Unreadable,
}
