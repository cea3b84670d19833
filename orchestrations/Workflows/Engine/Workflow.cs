namespace FedServerless.Workflows.Engine;

/// <summary>The name and types of a workflow. The code behind it is an <see cref="IWorkflow{TInput,TOutput}"/>.</summary>
/// <param name="Name">Stable for ever: journals hold it.</param>
public sealed record Workflow<TInput, TOutput>(string Name);

/// <summary>The code of a workflow: deterministic, replayed, and without state of its own.</summary>
public interface IWorkflow<TInput, TOutput>
{
    /// <summary>Runs from the start; awaits only what the context gives.</summary>
    Task<Turn<TInput, TOutput>> RunAsync(IWorkflowContext context, TInput input);
}

/// <summary>How a workflow's turn ends: done, or again from a new input with an empty journal.</summary>
public readonly record struct Turn<TInput, TOutput>
{
    private Turn(bool again, TInput? input, TOutput? output) => (IsAgain, Input, Output) = (again, input, output);

    /// <summary>True to continue as new with <see cref="Input"/>; false when done with <see cref="Output"/>.</summary>
    public bool IsAgain { get; }

    /// <summary>The next generation's input when <see cref="IsAgain"/>.</summary>
    public TInput? Input { get; }

    /// <summary>The result when not <see cref="IsAgain"/>.</summary>
    public TOutput? Output { get; }

    /// <summary>Done.</summary>
    public static Turn<TInput, TOutput> Done(TOutput output) => new(false, default, output);

    /// <summary>Continue as new: pending wakes may be dropped, waits are over, the journal starts empty.</summary>
    public static Turn<TInput, TOutput> Again(TInput input) => new(true, input, default);
}

/// <summary>A step of a workflow failed for good.</summary>
public sealed class WorkflowStepException(string step, string errorType, string errorMessage)
    : Exception($"{step} failed: {errorType}: {errorMessage}")
{
    /// <summary>The activity or workflow that failed.</summary>
    public string Step { get; } = step;

    /// <summary>The exception's type name as the step threw it.</summary>
    public string ErrorType { get; } = errorType;

    /// <summary>Its message, at most 1000 characters.</summary>
    public string ErrorMessage { get; } = errorMessage;
}
