namespace FedServerless.Workflows.Engine;

/// <summary>
/// All that a workflow may touch besides its input. Everything awaited in a workflow comes from here: the engine replays the
/// workflow's code against a journal, so the same calls must come in the same order every time. docs/concepts/engine.md is the
/// contract that both engines are held to.
/// </summary>
public interface IWorkflowContext
{
    /// <summary>This instance's id.</summary>
    string InstanceId { get; }

    /// <summary>The time as the journal has it: constant between two awaits, the same on every replay.</summary>
    DateTimeOffset UtcNow { get; }

    /// <summary>
    /// Runs an activity at least once and returns the one result that the journal kept. An exception in the activity means
    /// "again" under its <see cref="RetrySpec"/>; expected refusals are return values.
    /// </summary>
    /// <exception cref="WorkflowStepException">Every attempt failed.</exception>
    Task<TOutput> CallAsync<TInput, TOutput>(Activity<TInput, TOutput> activity, TInput input);

    /// <summary>Runs one activity for every input, at once where the host can, and returns the results in the order of the inputs.</summary>
    /// <exception cref="WorkflowStepException">Every attempt of one of them failed; thrown when all have ended.</exception>
    Task<TOutput[]> FanOutAsync<TInput, TOutput>(Activity<TInput, TOutput> activity, IReadOnlyList<TInput> inputs);

    /// <summary>Runs a workflow under an id of the caller's making and returns its output.</summary>
    /// <exception cref="WorkflowStepException">It failed.</exception>
    Task<TOutput> RunAsync<TInput, TOutput>(Workflow<TInput, TOutput> workflow, string instanceId, TInput input);

    /// <summary>Waits until a moment; one that has passed completes at once.</summary>
    Task WaitUntilAsync(DateTimeOffset until);

    /// <summary>
    /// Waits for a wake of this name or a moment, whichever comes first: the only race. Wakes carry nothing, may be lost or
    /// repeated, and one that came before the wait began may end it at once.
    /// </summary>
    /// <returns>True when woken, false when the moment came. Never throws on time-out.</returns>
    Task<bool> WaitForEventAsync(string name, DateTimeOffset until);

    /// <summary>Publishes a status for people: at most <see cref="WorkflowLimits.MaxMessageBytes"/> as JSON; the last one stands.</summary>
    void SetStatus(string status);

    /// <summary>Writes a log line, once: silent while replaying.</summary>
    void Log(string message);
}

/// <summary>Limits of both engines.</summary>
public static class WorkflowLimits
{
    /// <summary>Most bytes of any input, output or status, as JSON: references travel, never content.</summary>
    public const int MaxMessageBytes = 4096;

    /// <summary>Most activities in one fan-out.</summary>
    public const int MaxFanOut = 1000;

    /// <summary>Longest instance id in characters; ids are <c>[A-Za-z0-9._~-]+</c>.</summary>
    public const int MaxInstanceIdLength = 100;
}
