using FedServerless.Workflows.Engine;

namespace FedServerless.Testing.Engine;

/// <summary>
/// An engine under test, any engine: register first, then use. The time may be skipped or real; tests only say how much of it
/// must pass.
/// </summary>
public interface IEngineFixture : IAsyncDisposable
{
    /// <summary>The outside of the engine; starts it at first use.</summary>
    IWorkflowClient Client { get; }

    /// <summary>The engine's time.</summary>
    DateTimeOffset UtcNow { get; }

    /// <summary>
    /// What tests wait for is told in multiples of this: an hour where time is skipped, a moment where it is real. Half of it is
    /// more than an engine needs to do what it can do at once.
    /// </summary>
    TimeSpan Unit { get; }

    /// <summary>What workflows logged, as <c>instance: line</c>.</summary>
    IReadOnlyList<string> WorkflowLog { get; }

    /// <summary>Why this fixture cannot show that an activity in the middle of which the process died runs again, or null: it can.</summary>
    string? CannotLoseActivities { get; }

    /// <summary>Registers a workflow; before first use.</summary>
    void AddWorkflow<TInput, TOutput>(Workflow<TInput, TOutput> workflow, IWorkflow<TInput, TOutput> code);

    /// <summary>Registers an activity.</summary>
    void AddActivity<TInput, TOutput>(Activity<TInput, TOutput> activity, Func<TInput, CancellationToken, Task<TOutput>> code);

    /// <summary>Waits for an instance to end, letting as much time pass as it needs.</summary>
    /// <exception cref="InvalidOperationException">It waits for what will never come.</exception>
    Task<WorkflowStatus> CompleteAsync(string instanceId);

    /// <summary>Lets time pass, and everything run that can run.</summary>
    Task AdvanceAsync(TimeSpan by);

    /// <summary>Stops the engine's process, lets time pass, and starts it again on what it remembers.</summary>
    Task RestartAsync(TimeSpan down = default);
}
