using FedServerless.Workflows.Engine;

namespace FedServerless.Testing.Engine;

/// <summary>A workflow given as a lambda.</summary>
public sealed class LambdaWorkflow<TInput, TOutput>(Func<IWorkflowContext, TInput, Task<Turn<TInput, TOutput>>> code) : IWorkflow<TInput, TOutput>
{
    /// <inheritdoc/>
    public Task<Turn<TInput, TOutput>> RunAsync(IWorkflowContext context, TInput input) => code(context, input);
}

/// <summary>An activity given as a lambda.</summary>
public sealed class LambdaActivity<TInput, TOutput>(Func<TInput, CancellationToken, Task<TOutput>> code) : IActivity<TInput, TOutput>
{
    /// <inheritdoc/>
    public Task<TOutput> RunAsync(TInput input, CancellationToken cancellationToken) => code(input, cancellationToken);
}
