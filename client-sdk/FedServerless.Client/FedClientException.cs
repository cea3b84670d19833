using FedServerless.Wire;

namespace FedServerless.Client;

/// <summary>Something keeps this client from working: its state folder, its identity, or the server.</summary>
public sealed class FedClientException : Exception
{
    /// <summary>A failure with a message that says what to do.</summary>
    public FedClientException(string message)
        : base(message)
    {
    }

    /// <summary>A failure with a cause.</summary>
    public FedClientException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>The server's answer, where it gave one; null otherwise.</summary>
    public int? Status { get; init; }

    /// <summary>The problem details of the server's answer, where it gave them; null otherwise.</summary>
    public ProblemDetails? Problem { get; init; }

    /// <summary>True when the same call may succeed later: the network failed, or the server was busy or broken.</summary>
    public bool IsTransient { get; init; }
}
