using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Workflows.Engine;

namespace FedServerless.Activities.Clients;

/// <summary>Wakes for the runs of a population: hints, so a run that is gone or a wake that is lost costs nothing.</summary>
public static class ActiveRuns
{
    /// <summary>Wakes every active run of the population.</summary>
    public static async Task WakeAsync(
        IObjectStore store, IWorkflowClient workflows, string population, string eventName, CancellationToken cancellationToken)
    {
        await foreach (var facts in store.ListAsync(StoreNames.ActiveRuns(population), cancellationToken))
        {
            var active = await store.FindAsync(facts.Name, StoreJson.Default.ActiveRunDocument, cancellationToken);
            if (active is not null)
            {
                await workflows.WakeAsync(active.Value.Instance, eventName, cancellationToken);
            }
        }
    }
}
