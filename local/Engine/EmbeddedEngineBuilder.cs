using System.Text.Json.Serialization.Metadata;
using FedServerless.Local.Engine.Journal;
using FedServerless.Workflows.Engine;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FedServerless.Local.Engine;

/// <summary>Collects workflows and activities, then builds the engine. Names are unique; a second registration of one is refused.</summary>
public sealed class EmbeddedEngineBuilder
{
    private readonly MessageJson _json;
    private readonly Dictionary<string, WorkflowRegistration> _workflows = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ActivityRegistration> _activities = new(StringComparer.Ordinal);

    /// <summary>A builder whose messages are written by <paramref name="json"/>; a source-generated context brings its own options.</summary>
    public EmbeddedEngineBuilder(IJsonTypeInfoResolver json)
    {
        ArgumentNullException.ThrowIfNull(json);
        _json = new MessageJson(json);
    }

    /// <summary>Registers the code of a workflow.</summary>
    /// <exception cref="ArgumentException">The name is taken, or a type is unknown to the JSON context.</exception>
    public EmbeddedEngineBuilder AddWorkflow<TInput, TOutput>(Workflow<TInput, TOutput> workflow, IWorkflow<TInput, TOutput> code)
    {
        ArgumentNullException.ThrowIfNull(workflow);
        ArgumentNullException.ThrowIfNull(code);
        Names.CheckStep(workflow.Name);
        _json.Check<TInput>(workflow.Name);
        _json.Check<TOutput>(workflow.Name);
        if (!_workflows.TryAdd(workflow.Name, new WorkflowRegistration<TInput, TOutput>(workflow.Name, code, _json)))
        {
            throw new ArgumentException($"Workflow '{workflow.Name}' is registered twice.", nameof(workflow));
        }

        return this;
    }

    /// <summary>Registers the code of an activity. <paramref name="code"/> is asked before every attempt, with the services given to <see cref="Build"/>.</summary>
    /// <exception cref="ArgumentException">The name is taken, or a type is unknown to the JSON context.</exception>
    public EmbeddedEngineBuilder AddActivity<TInput, TOutput>(
        Activity<TInput, TOutput> activity,
        Func<IServiceProvider?, IActivity<TInput, TOutput>> code)
    {
        ArgumentNullException.ThrowIfNull(activity);
        ArgumentNullException.ThrowIfNull(code);
        Names.CheckStep(activity.Name);
        _json.Check<TInput>(activity.Name);
        _json.Check<TOutput>(activity.Name);
        if (!_activities.TryAdd(activity.Name, new ActivityRegistration<TInput, TOutput>(activity.Name, code, _json)))
        {
            throw new ArgumentException($"Activity '{activity.Name}' is registered twice.", nameof(activity));
        }

        return this;
    }

    /// <summary>Builds an engine over a journal. The engine disposes the journal.</summary>
    public EmbeddedEngine Build(
        IJournal journal,
        EmbeddedEngineOptions? options = null,
        TimeProvider? timeProvider = null,
        ILoggerFactory? loggerFactory = null,
        IServiceProvider? services = null)
    {
        ArgumentNullException.ThrowIfNull(journal);
        options ??= new EmbeddedEngineOptions();
        options.Validate();
        return new EmbeddedEngine(
            new Registry(_workflows, _activities, _json),
            journal,
            options,
            timeProvider ?? TimeProvider.System,
            (loggerFactory ?? NullLoggerFactory.Instance).CreateLogger<EmbeddedEngine>(),
            services);
    }
}
