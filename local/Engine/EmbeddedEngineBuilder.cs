using System.Text.Json.Serialization.Metadata;
using FedServerless.Local.Engine.Journal;
using FedServerless.Workflows.Engine;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FedServerless.Local.Engine;

/// <summary>Collects workflows and activities, then builds the engine. Names are unique; a second registration of one is refused.</summary>
public sealed class EmbeddedEngineBuilder : IWorkflowBinder
{
    private readonly RegistryBuilder _registry;

    /// <summary>A builder whose messages are written by <paramref name="json"/>; a source-generated context brings its own options.</summary>
    public EmbeddedEngineBuilder(IJsonTypeInfoResolver json)
    {
        ArgumentNullException.ThrowIfNull(json);
        _registry = new RegistryBuilder(json);
    }

    /// <summary>Registers the code of a workflow.</summary>
    /// <exception cref="ArgumentException">The name is taken, or a type is unknown to the JSON context.</exception>
    public EmbeddedEngineBuilder AddWorkflow<TInput, TOutput>(Workflow<TInput, TOutput> workflow, IWorkflow<TInput, TOutput> code)
    {
        _registry.Bind(workflow, code);
        return this;
    }

    /// <summary>Registers the code of an activity. <paramref name="code"/> is asked before every attempt, with the services given to <see cref="Build"/>.</summary>
    /// <exception cref="ArgumentException">The name is taken, or a type is unknown to the JSON context.</exception>
    public EmbeddedEngineBuilder AddActivity<TInput, TOutput>(
        Activity<TInput, TOutput> activity,
        Func<IServiceProvider?, IActivity<TInput, TOutput>> code)
    {
        _registry.Bind(activity, code);
        return this;
    }

    void IWorkflowBinder.Bind<TInput, TOutput>(Workflow<TInput, TOutput> workflow, IWorkflow<TInput, TOutput> code) => _registry.Bind(workflow, code);

    void IWorkflowBinder.Bind<TInput, TOutput>(Activity<TInput, TOutput> activity, IActivity<TInput, TOutput> code) => _registry.Bind(activity, code);

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
            _registry.Build(),
            journal,
            options,
            timeProvider ?? TimeProvider.System,
            (loggerFactory ?? NullLoggerFactory.Instance).CreateLogger<EmbeddedEngine>(),
            services);
    }
}
