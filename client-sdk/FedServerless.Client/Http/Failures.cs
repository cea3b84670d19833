namespace FedServerless.Client.Http;

/// <summary>A request failed in a way that may pass.</summary>
/// <param name="reason">What went wrong.</param>
/// <param name="retryAfter">The pause the server asked for; null for none.</param>
/// <param name="innerException">The cause.</param>
internal sealed class TransientException(string reason, TimeSpan? retryAfter = null, Exception? innerException = null)
    : Exception(reason, innerException)
{
    public TimeSpan? RetryAfter { get; } = retryAfter;
}

/// <summary>This piece of work leads nowhere; the next may. Caught by the loop, never seen outside.</summary>
internal sealed class GiveUpException(string reason, Exception? innerException = null) : Exception(reason, innerException)
{
    /// <summary>True when the same work may be taken later by this process.</summary>
    public bool MayTryAgain { get; init; }
}

/// <summary>A pre-signed URL is no longer honoured: ask for a fresh one.</summary>
internal sealed class UrlExpiredException(int status) : Exception($"the store answered {status}");
