using FedServerless.Local.Engine;
using FedServerless.Local.Engine.Journal;
using FedServerless.Workflows.Engine;

namespace FedServerless.Local.Hosting;

/// <summary>
/// The engine as requests see it. While the journal cannot be written the engine keeps what it was asked and does it once there is
/// room; a request is told so (507) instead of waiting for that.
/// </summary>
internal sealed class PromptWorkflows(EmbeddedEngine engine, TimeProvider time) : IWorkflowClient
{
    /// <summary>How often a waiting request looks at the journal's health.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(0.5);

    /// <inheritdoc/>
    public Task<bool> StartAsync<TInput, TOutput>(
        Workflow<TInput, TOutput> workflow, string instanceId, TInput input, CancellationToken cancellationToken) =>
        AwaitAsync(engine.StartAsync(workflow, instanceId, input, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task WakeAsync(string instanceId, string eventName, CancellationToken cancellationToken) =>
        engine.WakeAsync(instanceId, eventName, cancellationToken);

    /// <inheritdoc/>
    public Task<WorkflowStatus?> GetStatusAsync(string instanceId, CancellationToken cancellationToken) =>
        engine.GetStatusAsync(instanceId, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> PurgeAsync(string instanceId, CancellationToken cancellationToken) =>
        AwaitAsync(engine.PurgeAsync(instanceId, cancellationToken), cancellationToken);

    private async Task<bool> AwaitAsync(Task<bool> answer, CancellationToken cancellationToken)
    {
        while (!answer.IsCompleted)
        {
            using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await Task.WhenAny(answer, Task.Delay(LookEvery, time, ends.Token));
            await ends.CancelAsync();
            if (!answer.IsCompleted && engine.Trouble is { } trouble)
            {
                throw new JournalException(JournalFault.Full, trouble);
            }
        }

        return await answer;
    }
}
