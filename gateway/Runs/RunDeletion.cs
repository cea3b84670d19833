using FedServerless.Activities.Clients;
using FedServerless.Activities.State;
using FedServerless.Gateway.Http;
using FedServerless.Gateway.Privacy;
using FedServerless.Gateway.Rounds;
using FedServerless.Storage;
using FedServerless.Workflows;
using FedServerless.Workflows.Engine;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Runs;

/// <summary>
/// <c>DELETE runs/{run}</c>. What a run was is deleted first and that it was last, so that a crash leaves either an ended run or a
/// draft, and the same request again finishes the work. Versions it published stay: they belong to the model.
/// </summary>
public sealed class RunDeletion(IObjectStore store, RoundFiles files, UnaccountedRuns unaccounted)
{
    internal async Task<Reply> DeleteAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var run = call.Name("run");
        var document = await store.FindAsync(StoreNames.Run(run), StoreJson.Default.RunDocument, cancellationToken) ?? throw RunViews.Absent(run);
        var isStarted = await store.HeadAsync(StoreNames.RunStarted(run), cancellationToken) is not null;
        if (isStarted && await store.HeadAsync(StoreNames.RunOutcome(run), cancellationToken) is null)
        {
            return Reply.Problem(Problems.WrongState($"Run '{run}' has not ended; stop it first."));
        }

        if (!await PurgeAsync(run, call.Workflows, cancellationToken))
        {
            return Reply.Problem(Problems.WrongState($"Run '{run}' has ended and its workflow is about to; repeat this in a moment."));
        }

        await unaccounted.RememberAsync(document.Value, cancellationToken);
        await store.DeleteAsync(StoreNames.ActiveRun(document.Value.Spec.Population, run), cancellationToken);
        foreach (var prefix in StoreNames.RunUpdates(run))
        {
            await store.DeleteAllAsync(prefix, cancellationToken);
        }

        await store.DeleteAllAsync(StoreNames.Rounds(run), cancellationToken);
        await store.DeleteAllAsync(StoreNames.RunLog(run), cancellationToken);
        await store.DeleteAllAsync(StoreNames.RunRecoveries(run), cancellationToken);
        await store.DeleteAllAsync(StoreNames.RunUsage(run), cancellationToken);
        await new StandingBook(store).ForgetAsync(document.Value.Spec.Population, run, cancellationToken);
        await store.DeleteAsync(StoreNames.RunWatch(run), cancellationToken);
        await store.DeleteAsync(StoreNames.RunPurge(run), cancellationToken);
        await store.DeleteAsync(StoreNames.RunControl(run), cancellationToken);
        await store.DeleteAsync(StoreNames.RunStarted(run), cancellationToken);
        await store.DeleteAsync(StoreNames.RunOutcome(run), cancellationToken);
        await store.DeleteAsync(StoreNames.Run(run), cancellationToken);
        await store.DeleteAsync(StoreNames.RunIndex + run, cancellationToken);
        files.Forget(run);
        return Reply.Empty(StatusCodes.Status204NoContent);
    }

    /// <summary>
    /// Forgets the run's instances; false while one still runs. An id that was ever started cannot be started again before it is
    /// forgotten, and an instance that goes on would work on the next run of this name.
    /// </summary>
    private async Task<bool> PurgeAsync(string run, IWorkflowClient workflows, CancellationToken cancellationToken)
    {
        var closed = (await RunLocation.FindAsync(store, run, cancellationToken)).Round;
        var recoveries = await store.CountAsync(StoreNames.RunRecoveries(run), cancellationToken);
        var instances = Enumerable.Range(0, recoveries + 1).Select(attempt => RunRecovery.InstanceId(run, attempt)).ToList();
        foreach (var instance in instances)
        {
            if (await workflows.GetStatusAsync(instance, cancellationToken) is { Phase: WorkflowPhase.Running })
            {
                // It may be waiting for something that does not matter any more.
                await workflows.WakeAsync(instance, WakeEvents.Control, cancellationToken);
                await workflows.WakeAsync(instance, WakeEvents.Clients, cancellationToken);
                return false;
            }
        }

        foreach (var instance in instances)
        {
            for (var round = 1; round <= closed; round++)
            {
                foreach (var part in await store.OfRoundAsync(run, round, instance, cancellationToken))
                {
                    await workflows.PurgeAsync(part, cancellationToken);
                }
            }

            await workflows.PurgeAsync(instance, cancellationToken);
        }

        return true;
    }
}
