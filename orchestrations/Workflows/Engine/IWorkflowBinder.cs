namespace FedServerless.Workflows.Engine;

/// <summary>Takes the code behind every workflow and activity; each engine has one. Names are unique.</summary>
public interface IWorkflowBinder
{
    /// <summary>Binds the code of a workflow.</summary>
    /// <exception cref="ArgumentException">The name is taken, or a type is unknown to the JSON context.</exception>
    void Bind<TInput, TOutput>(Workflow<TInput, TOutput> workflow, IWorkflow<TInput, TOutput> code);

    /// <summary>Binds the code of an activity.</summary>
    /// <exception cref="ArgumentException">The name is taken, or a type is unknown to the JSON context.</exception>
    void Bind<TInput, TOutput>(Activity<TInput, TOutput> activity, IActivity<TInput, TOutput> code);
}
