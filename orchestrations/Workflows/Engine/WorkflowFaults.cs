namespace FedServerless.Workflows.Engine;

/// <summary>A message is too long, or not what its type asks for. Trying again cannot help, so no attempt is repeated for it.</summary>
public sealed class WorkflowMessageException(string message, Exception? innerException = null) : Exception(message, innerException);

/// <summary>A workflow awaited something that its context did not give it.</summary>
public sealed class ForeignAwaitException()
    : Exception("The workflow awaits something that is not from its context (Task.Delay, Task.Run, I/O, ConfigureAwait(false), a lock): "
        + "it could not be replayed. Do it in an activity.");
