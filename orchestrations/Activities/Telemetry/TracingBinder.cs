using FedServerless.Workflows.Engine;

namespace FedServerless.Activities.Telemetry;

/// <summary>Binds every activity with a span and a measurement around it. Workflows are replayed, and their engines tell of them.</summary>
internal sealed class TracingBinder(IWorkflowBinder inner) : IWorkflowBinder
{
    public void Bind<TInput, TOutput>(Workflow<TInput, TOutput> workflow, IWorkflow<TInput, TOutput> code) => inner.Bind(workflow, code);

    public void Bind<TInput, TOutput>(Activity<TInput, TOutput> activity, IActivity<TInput, TOutput> code) =>
        inner.Bind(activity, new TracedActivity<TInput, TOutput>(activity.Name, code));
}
