using System.Text.Json.Serialization.Metadata;

namespace FedServerless.Workflows.Engine;

/// <summary>Collects workflows and activities for an engine. Names are unique, types are known to the JSON context.</summary>
internal sealed class RegistryBuilder(IJsonTypeInfoResolver json) : IWorkflowBinder
{
    private readonly MessageJson _json = new(json);
    private readonly Dictionary<string, WorkflowRegistration> _workflows = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ActivityRegistration> _activities = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public void Bind<TInput, TOutput>(Workflow<TInput, TOutput> workflow, IWorkflow<TInput, TOutput> code)
    {
        ArgumentNullException.ThrowIfNull(workflow);
        ArgumentNullException.ThrowIfNull(code);
        Check<TInput, TOutput>(workflow.Name);
        if (!_workflows.TryAdd(workflow.Name, new WorkflowRegistration<TInput, TOutput>(workflow.Name, code, _json)))
        {
            throw new ArgumentException($"Workflow '{workflow.Name}' is registered twice.", nameof(workflow));
        }
    }

    /// <inheritdoc/>
    public void Bind<TInput, TOutput>(Activity<TInput, TOutput> activity, IActivity<TInput, TOutput> code)
    {
        ArgumentNullException.ThrowIfNull(code);
        Bind(activity, _ => code);
    }

    /// <summary>Binds an activity whose code is asked for before every attempt.</summary>
    /// <exception cref="ArgumentException">The name is taken, or a type is unknown to the JSON context.</exception>
    public void Bind<TInput, TOutput>(Activity<TInput, TOutput> activity, Func<IServiceProvider?, IActivity<TInput, TOutput>> code)
    {
        ArgumentNullException.ThrowIfNull(activity);
        ArgumentNullException.ThrowIfNull(code);
        Check<TInput, TOutput>(activity.Name);
        if (!_activities.TryAdd(activity.Name, new ActivityRegistration<TInput, TOutput>(activity.Name, code, _json)))
        {
            throw new ArgumentException($"Activity '{activity.Name}' is registered twice.", nameof(activity));
        }
    }

    /// <summary>What was bound so far.</summary>
    public Registry Build() => new(_workflows, _activities, _json);

    private void Check<TInput, TOutput>(string name)
    {
        Names.CheckStep(name);
        _json.Check<TInput>(name);
        _json.Check<TOutput>(name);
    }
}
