using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Gateway.Http;
using FedServerless.Gateway.Upkeep;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Runs;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Runs;

/// <summary>Runs as operators see them, put together from blobs; the engine is asked only what it is doing.</summary>
public sealed class RunViews(IObjectStore store, RunCosts costs)
{
    internal async Task<Reply> ListAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        await foreach (var facts in store.ListAsync(StoreNames.RunIndex, cancellationToken))
        {
            names.Add(facts.Name[StoreNames.RunIndex.Length..]);
        }

        var views = new List<RunView>();
        foreach (var name in names.Order(StringComparer.Ordinal))
        {
            if (await FindAsync(name, call.Workflows, cancellationToken) is { } view)
            {
                views.Add(view);
            }
        }

        return Reply.Json(StatusCodes.Status200OK, new Listing<RunView>(views), WireJson.Default.ListingRunView);
    }

    internal async Task<Reply> GetAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var run = call.Name("run");
        var view = await FindAsync(run, call.Workflows, cancellationToken) ?? throw Absent(run);
        if (view.State != RunStates.Draft)
        {
            var closed = (await RunLocation.FindAsync(store, run, cancellationToken)).Closed;
            view = view with { Cost = await costs.OfAsync(run, closed, cancellationToken) };
        }

        return Reply.Json(StatusCodes.Status200OK, view, WireJson.Default.RunView);
    }

    /// <summary>The run, or null.</summary>
    internal async Task<RunView?> FindAsync(string run, IWorkflowClient workflows, CancellationToken cancellationToken)
    {
        var document = (await store.FindAsync(StoreNames.Run(run), StoreJson.Default.RunDocument, cancellationToken))?.Value;
        if (document is null)
        {
            return null;
        }

        var log = await store.CountAsync(StoreNames.RunLog(run), cancellationToken);
        var outcome = (await store.FindAsync(StoreNames.RunOutcome(run), StoreJson.Default.RunOutcomeDocument, cancellationToken))?.Value;
        if (outcome is not null)
        {
            return new RunView(run, document.Spec, outcome.State, outcome.Reason, outcome.Round, outcome.Published, log);
        }

        if (await store.HeadAsync(StoreNames.RunStarted(run), cancellationToken) is null)
        {
            return new RunView(run, document.Spec, RunStates.Draft, null, 0, 0, log);
        }

        var location = await RunLocation.FindAsync(store, run, cancellationToken);
        var (state, reason) = await StateAsync(document, location, workflows, cancellationToken);
        return new RunView(run, document.Spec, state, reason, location.Round, location.Published, log);
    }

    /// <summary>The refusal for a run that is not there.</summary>
    internal static ProblemException Absent(string run) => new(Problems.NotFound($"There is no run '{run}'."));

    private async Task<(string State, string? Reason)> StateAsync(
        RunDocument run, RunLocation location, IWorkflowClient workflows, CancellationToken cancellationToken)
    {
        var active = await store.FindAsync(
            StoreNames.ActiveRun(run.Spec.Population, run.Id), StoreJson.Default.ActiveRunDocument, cancellationToken);
        var instance = active?.Value.Instance ?? run.Id;
        var status = await workflows.GetStatusAsync(instance, cancellationToken);
        var watch = await store.FindAsync(StoreNames.RunWatch(run.Id), UpkeepJson.Default.WatchDocument, cancellationToken);
        if (watch?.Value is { GaveUp: { } reason } given && RunRecovery.InstanceId(run.Id, given.Attempt) == instance)
        {
            return (RunStates.Failed, reason);
        }

        if (status is null)
        {
            return (RunStates.Failed, $"The engine does not know this run any more; fed run recover {run.Id} continues from what is stored.");
        }

        if (status.Phase == WorkflowPhase.Failed)
        {
            return (RunStates.Failed, status.Error);
        }

        var control = await store.FindAsync(StoreNames.RunControl(run.Id), StoreJson.Default.ControlDocument, cancellationToken);
        return (control?.Value.Desired, location.IsInRound) switch
        {
            (ControlStates.Stop, _) => (RunStates.Running, "stopping"),
            (ControlStates.Pause, true) => (RunStates.Running, "pausing after this round"),
            (ControlStates.Pause, false) => (RunStates.Paused, control!.Value.Reason),
            (_, true) => (RunStates.Running, status.Status),
            _ when status.Status?.StartsWith(RunStatusTexts.WaitingForClients, StringComparison.Ordinal) == true => (RunStates.WaitingForClients, status.Status),
            _ => (RunStates.Running, status.Status),
        };
    }
}
