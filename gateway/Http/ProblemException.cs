using FedServerless.Wire;

namespace FedServerless.Gateway.Http;

/// <summary>Ends a request with a refusal. Thrown by use cases, caught at one place: <see cref="RouteRunner"/>.</summary>
public sealed class ProblemException(ProblemDetails problem) : Exception(problem.Detail ?? problem.Title)
{
    /// <summary>The answer.</summary>
    public ProblemDetails Problem { get; } = problem;

    /// <summary>When the same request may be sent again, in seconds; null where time does not help.</summary>
    public int? RetryAfterSeconds { get; init; }
}
