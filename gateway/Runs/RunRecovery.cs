using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Gateway.Upkeep;
using FedServerless.Storage;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Runs;

namespace FedServerless.Gateway.Runs;

/// <summary>
/// Starts a run's workflow again under a new id, from nothing but blobs: for the operator and for the watchdog. A first instance
/// that still runs does no harm: every output is create-once at a name both compute.
/// </summary>
public sealed class RunRecovery(IObjectStore store, TimeProvider time)
{
    /// <summary>The workflow instance of a run's attempt; 0 is the start.</summary>
    public static string InstanceId(string run, int attempt) => attempt == 0 ? run : $"{run}~{attempt}";

    /// <summary>Takes the next attempt that is free, as the operator wants it.</summary>
    internal async Task RecoverAsync(RunDocument run, IWorkflowClient workflows, CancellationToken cancellationToken)
    {
        var closed = (await RunLocation.FindAsync(store, run.Id, cancellationToken)).Closed;
        var attempt = await store.CountAsync(StoreNames.RunRecoveries(run.Id), cancellationToken) + 1;
        while (!await TryRecoverAsync(run, attempt, new RecoveryDocument(time.GetUtcNow(), RecoveryDocument.Operator, closed), workflows, cancellationToken))
        {
            attempt++;
        }
    }

    /// <summary>Takes exactly this attempt; false, and nothing changes, when somebody else has taken it.</summary>
    internal async Task<bool> TryRecoverAsync(
        RunDocument run, int attempt, RecoveryDocument recovery, IWorkflowClient workflows, CancellationToken cancellationToken)
    {
        var put = await store.PutAsync(
            StoreNames.RunRecovery(run.Id, attempt), recovery, UpkeepJson.Default.RecoveryDocument, PutCondition.CreateOnce, cancellationToken);
        if (!put.Written)
        {
            return false;
        }

        // A start that died half-way may have left no control; one that is there stands.
        await store.PutAsync(
            StoreNames.RunControl(run.Id), new ControlDocument(ControlStates.Run, null), StoreJson.Default.ControlDocument,
            PutCondition.CreateOnce, cancellationToken);
        var instance = InstanceId(run.Id, attempt);
        await store.PutAsync(
            StoreNames.ActiveRun(run.Spec.Population, run.Id), new ActiveRunDocument(instance), StoreJson.Default.ActiveRunDocument,
            PutCondition.Overwrite, cancellationToken);
        await LaunchAsync(run, instance, workflows, cancellationToken);
        return true;
    }

    /// <summary>Starts an instance of the run's workflow, once.</summary>
    internal async Task LaunchAsync(RunDocument run, string instance, IWorkflowClient workflows, CancellationToken cancellationToken)
    {
        await workflows.StartAsync(TrainingRunWorkflow.Definition, instance, new RunProgress(run.Id), cancellationToken);
        if (await store.HeadAsync(StoreNames.RunOutcome(run.Id), cancellationToken) is not null)
        {
            // It ended meanwhile and took its marker away before ours was written.
            await store.DeleteAsync(StoreNames.ActiveRun(run.Spec.Population, run.Id), cancellationToken);
        }
    }
}
