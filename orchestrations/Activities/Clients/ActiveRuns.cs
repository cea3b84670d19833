using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Runs;

namespace FedServerless.Activities.Clients;

/// <summary>Wakes for the runs of a population: hints, so a run that is gone or a wake that is lost costs nothing.</summary>
public static class ActiveRuns
{
    /// <summary>
    /// Wakes every active run of the population that may be waiting. One that is in a round or an evaluation is not: it would keep a line
    /// of history for each of these hints, for days, and looks at everything again when it is done.
    /// </summary>
    public static async Task WakeAsync(
        IObjectStore store, IWorkflowClient workflows, string population, string eventName, CancellationToken cancellationToken)
    {
        await foreach (var facts in store.ListAsync(StoreNames.ActiveRuns(population), cancellationToken))
        {
            var active = await store.FindAsync(facts.Name, StoreJson.Default.ActiveRunDocument, cancellationToken);
            if (active is not null && await MayWaitAsync(workflows, active.Value.Instance, cancellationToken))
            {
                await workflows.WakeAsync(active.Value.Instance, eventName, cancellationToken);
            }
        }
    }

    private static async Task<bool> MayWaitAsync(IWorkflowClient workflows, string instance, CancellationToken cancellationToken)
    {
        try
        {
            return await workflows.GetStatusAsync(instance, cancellationToken) is not { Status: { } status }
                || !(status.StartsWith(RunStatusTexts.Round + " ", StringComparison.Ordinal) || status.StartsWith(RunStatusTexts.Evaluating + " ", StringComparison.Ordinal));
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // A hint like any other: a device's check-in does not fail because the engine does not answer.
            return false;
        }
    }
}
