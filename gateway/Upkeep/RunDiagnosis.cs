using System.Security.Cryptography;
using System.Text;
using FedServerless.Activities;
using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Gateway.Runs;
using FedServerless.Storage;
using FedServerless.Workflows;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Gateway.Upkeep;

/// <summary>Something wrong with a run.</summary>
/// <param name="Kind">Which kind.</param>
/// <param name="Fingerprint">Changes when the run moves.</param>
/// <param name="Explanation">A clause for people.</param>
/// <param name="IsStuck">True where the workflow still runs, so that patience is longer.</param>
/// <param name="Closed">Rounds of the run that have an outcome.</param>
internal sealed record Symptom(string Kind, string Fingerprint, string Explanation, bool IsStuck, int Closed);

/// <summary>
/// Compares what the engine says of a run's workflow with what its blobs say it should be doing. Waiting for clients and an
/// operator's pause are no symptoms; neither is a round that collects until its deadline.
/// </summary>
internal sealed class RunDiagnosis(IObjectStore store, IPresence presence, TimeProvider time)
{
    /// <summary>What is wrong with a run that has started and has no outcome, or null.</summary>
    public async Task<Symptom?> FindAsync(RunDocument run, string instance, IWorkflowClient workflows, CancellationToken cancellationToken)
    {
        var status = await workflows.GetStatusAsync(instance, cancellationToken);

        // Asked after the status: a workflow that is completed wrote its outcome before.
        if (await store.HeadAsync(StoreNames.RunOutcome(run.Id), cancellationToken) is not null)
        {
            return null;
        }

        var location = await RunLocation.FindAsync(store, run.Id, cancellationToken);
        return status switch
        {
            null => new("absent", "", "the engine does not know its workflow: it was never started, or the task hub or journal was lost", false, location.Closed),
            { Phase: WorkflowPhase.Failed } => new("failed", "", $"its workflow failed: {status.Error}", false, location.Closed),
            { Phase: WorkflowPhase.Completed } => new("ended", "", "its workflow ended without an outcome of the run", false, location.Closed),
            _ => await FindStuckAsync(run, location, cancellationToken),
        };
    }

    /// <summary>Hints for a run that may be stuck: whichever wait lost its timer looks again.</summary>
    public static async Task WakeAsync(string instance, int closed, IWorkflowClient workflows, CancellationToken cancellationToken)
    {
        await workflows.WakeAsync(instance, WakeEvents.Control, cancellationToken);
        await workflows.WakeAsync(instance, WakeEvents.Clients, cancellationToken);
        await workflows.WakeAsync(RoundWorkflow.InstanceId(instance, closed + 1), WakeEvents.Quorum, cancellationToken);
        if (closed > 0)
        {
            await workflows.WakeAsync(EvaluationWorkflow.InstanceId(instance, closed), WakeEvents.Quorum, cancellationToken);
        }
    }

    private async Task<Symptom?> FindStuckAsync(RunDocument run, RunLocation location, CancellationToken cancellationToken)
    {
        if (location.IsInRound)
        {
            var round = location.Closed + 1;
            var open = await store.FindAsync(StoreNames.Open(run.Id, round), StoreJson.Default.OpenDocument, cancellationToken);
            return open is not null && open.Value.Deadline >= time.GetUtcNow()
                ? null
                : await StuckAsync(run.Id, round, location, $"round {round} does not go on although its deadline is over", cancellationToken);
        }

        if (location.Closed > 0
            && await store.FindAsync(StoreNames.EvaluationOpen(run.Id, location.Closed), StoreJson.Default.EvaluationOpenDocument, cancellationToken) is { } evaluation
            && await store.HeadAsync(StoreNames.EvaluationSeal(run.Id, location.Closed), cancellationToken) is null)
        {
            return evaluation.Value.Deadline >= time.GetUtcNow()
                ? null
                : await StuckAsync(run.Id, location.Closed, location, $"the evaluation of round {location.Closed} does not end although its deadline is over", cancellationToken);
        }

        return await IsReadyAsync(run, location, cancellationToken)
            ? await StuckAsync(run.Id, location.Closed + 1, location, $"round {location.Closed + 1} does not begin although nothing keeps it", cancellationToken)
            : null;
    }

    /// <summary>True when a run between two rounds has nothing to wait for.</summary>
    private async Task<bool> IsReadyAsync(RunDocument run, RunLocation location, CancellationToken cancellationToken)
    {
        var control = await store.FindAsync(StoreNames.RunControl(run.Id), StoreJson.Default.ControlDocument, cancellationToken);
        return control?.Value.Desired switch
        {
            ControlStates.Pause => false,
            ControlStates.Stop => true,
            _ when location.Published >= run.Spec.Rounds => true,
            _ => (await presence.SeenLatelyAsync(run.Spec.Population, cancellationToken)).Count >= RunReadiness.ClientsNeeded(run.Spec),
        };
    }

    private async Task<Symptom> StuckAsync(string run, int round, RunLocation location, string explanation, CancellationToken cancellationToken)
    {
        // Receipts and evaluations that come late are clients' doing; they do not show that the workflow lives.
        var prefix = StoreNames.Round(run, round);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(prefix));
        await foreach (var facts in store.ListAsync(prefix, cancellationToken))
        {
            if (!facts.Name.StartsWith(StoreNames.Receipts(run, round), StringComparison.Ordinal)
                && !facts.Name.StartsWith(StoreNames.Evaluations(run, round), StringComparison.Ordinal))
            {
                hash.AppendData(Encoding.UTF8.GetBytes(facts.Name + "\n"));
            }
        }

        var fingerprint = Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
        return new Symptom("stuck", fingerprint, explanation, true, location.Closed);
    }
}
