using System.Collections.Frozen;

namespace FedServerless.Workflows.Engine;

/// <summary>All workflows and activities by name.</summary>
internal sealed class Registry(
    IReadOnlyDictionary<string, WorkflowRegistration> workflows,
    IReadOnlyDictionary<string, ActivityRegistration> activities,
    MessageJson json)
{
    public FrozenDictionary<string, WorkflowRegistration> Workflows { get; } = workflows.ToFrozenDictionary(StringComparer.Ordinal);

    public FrozenDictionary<string, ActivityRegistration> Activities { get; } = activities.ToFrozenDictionary(StringComparer.Ordinal);

    public MessageJson Json => json;
}

/// <summary>How a turn of a workflow ended, as JSON: its output, or the next generation's input.</summary>
internal readonly record struct TurnResult(bool IsAgain, string Json);

/// <summary>A workflow's code behind JSON.</summary>
internal abstract class WorkflowRegistration
{
    public abstract Task<TurnResult> RunAsync(IWorkflowContext context, string input);
}

/// <inheritdoc/>
internal sealed class WorkflowRegistration<TInput, TOutput>(string name, IWorkflow<TInput, TOutput> code, MessageJson json) : WorkflowRegistration
{
    public override async Task<TurnResult> RunAsync(IWorkflowContext context, string input)
    {
        var turn = await code.RunAsync(context, json.Read<TInput>(input, $"input of {name}"));
        return turn.IsAgain
            ? new TurnResult(true, json.Write(turn.Input!, $"next input of {name}"))
            : new TurnResult(false, json.Write(turn.Output!, $"output of {name}"));
    }
}

/// <summary>An activity's code behind JSON.</summary>
internal abstract class ActivityRegistration
{
    public abstract Task<string> RunAsync(IServiceProvider? services, string input, CancellationToken cancellationToken);
}

/// <inheritdoc/>
internal sealed class ActivityRegistration<TInput, TOutput>(
    string name,
    Func<IServiceProvider?, IActivity<TInput, TOutput>> code,
    MessageJson json) : ActivityRegistration
{
    public override async Task<string> RunAsync(IServiceProvider? services, string input, CancellationToken cancellationToken)
    {
        var output = await code(services).RunAsync(json.Read<TInput>(input, $"input of {name}"), cancellationToken);
        return json.Write(output, $"output of {name}");
    }
}
