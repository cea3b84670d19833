namespace FedServerless.Workflows.Engine;

/// <summary>Why a step failed for good.</summary>
/// <param name="ErrorType">The exception's full type name.</param>
/// <param name="Message">At most <see cref="MaxMessageLength"/> characters.</param>
public sealed record StepFailure(string ErrorType, string Message)
{
    /// <summary>Longest message kept, in UTF-16 units.</summary>
    public const int MaxMessageLength = 1000;

    /// <summary>The failure that an exception means.</summary>
    public static StepFailure From(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return new(exception.GetType().FullName ?? exception.GetType().Name, Cut(exception.Message));
    }

    /// <summary>As people read it.</summary>
    public override string ToString() => $"{ErrorType}: {Message}";

    // Half a surrogate pair would not survive the way through UTF-8.
    internal static string Cut(string message) =>
        message.Length <= MaxMessageLength ? message
        : char.IsHighSurrogate(message[MaxMessageLength - 1]) ? message[..(MaxMessageLength - 1)]
        : message[..MaxMessageLength];
}
