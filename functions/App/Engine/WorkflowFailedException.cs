using FedServerless.Workflows.Engine;

namespace FedServerless.Functions.Engine;

/// <summary>Fails a Durable instance with a message that is short and says all: <c>type: message</c> of what the workflow let out.</summary>
internal sealed class WorkflowFailedException(StepFailure failure) : Exception(failure.ToString())
{
    private static readonly string Prefix = typeof(WorkflowFailedException).FullName + ": ";

    /// <summary>
    /// The error of a failed instance in the words of the port. Backends keep it as details or as text; what failed without the
    /// adapter's doing (the code does not match the history, terminated by hand) has words of Durable's own.
    /// </summary>
    public static string Describe(string? errorType, string? errorMessage, string? text)
    {
        var error = errorType is null ? text ?? "The instance failed and its backend does not say why." : $"{errorType}: {errorMessage}";
        var own = error.IndexOf(Prefix, StringComparison.Ordinal);
        var cut = own >= 0 ? error[(own + Prefix.Length)..] : error;
        return cut.Length <= MaxLength ? cut : cut[..MaxLength];
    }

    /// <summary>Type and message of a text of that form.</summary>
    public static (string Type, string Message) Split(string error)
    {
        var colon = error.IndexOf(": ", StringComparison.Ordinal);
        return colon < 0 ? ("WorkflowFailed", error) : (error[..colon], error[(colon + 2)..]);
    }

    private const int MaxLength = StepFailure.MaxMessageLength + 500;
}
