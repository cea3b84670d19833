using System.Text.Json;
using FedServerless.Activities.Models;
using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Gateway.Http;
using FedServerless.Gateway.Privacy;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Workflows;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Runs;

/// <summary>What an operator does to a run. Every step is create-once or compare-and-swap, so any of it may be repeated.</summary>
public sealed class RunLifecycle(IObjectStore store, ModelCatalog models, RunViews views, RunRecovery recovery, PrivacyGate privacy)
{
    /// <summary>Longest reason kept with a control.</summary>
    public const int MaxReasonLength = 200;

    internal async Task<Reply> CreateAsync(RouteCall call, CancellationToken cancellationToken)
    {
        if (!RunSpecJson.TryParseRequest(call.Body, out var request, out var problems))
        {
            return Reply.Problem(Problems.InvalidSpec(problems));
        }

        call.Subject = $"runs/{request.Id}";
        var document = RunDocument.Create(request.Id, request.Spec);
        var isKnown = await store.HeadAsync(StoreNames.Run(request.Id), cancellationToken) is not null;
        if (!isKnown && await models.HasVersionsOfAsync(request.Spec.Model, request.Id, cancellationToken))
        {
            return Reply.Problem(Problems.Conflict(
                "/problems/versions-exist", "An earlier run had this id",
                $"Model '{request.Spec.Model}' has versions that a deleted run '{request.Id}' published; choose another id."));
        }

        if (!isKnown && await privacy.RefuseNewAsync(request.Id, request.Spec, cancellationToken) is { } refusal)
        {
            return Reply.Problem(refusal);
        }

        if (!request.DryRun)
        {
            await store.PutBytesAsync(StoreNames.RunIndex + request.Id, default, PutCondition.CreateOnce, cancellationToken);
            var put = await store.PutAsync(
                StoreNames.Run(request.Id), document, StoreJson.Default.RunDocument, PutCondition.CreateOnce, cancellationToken);
            if (put.Written)
            {
                return await ShowAsync(StatusCodes.Status201Created, request.Id, call.Workflows, cancellationToken);
            }
        }

        var stored = (await store.FindAsync(StoreNames.Run(request.Id), StoreJson.Default.RunDocument, cancellationToken))?.Value;
        if (stored is null)
        {
            var draft = new RunView(request.Id, request.Spec, RunStates.Draft, null, 0, 0, 0);
            return Reply.Json(StatusCodes.Status200OK, draft, WireJson.Default.RunView);
        }

        return Write(stored).AsSpan().SequenceEqual(Write(document))
            ? await ShowAsync(StatusCodes.Status200OK, request.Id, call.Workflows, cancellationToken)
            : Reply.Problem(Problems.Conflict(
                "/problems/other-run", "Another run has this id", $"Run '{request.Id}' exists with another specification; choose another id."));

        // The terms follow from the spec, and another machine may find a noise that differs in its last digit.
        static byte[] Write(RunDocument run) => JsonSerializer.SerializeToUtf8Bytes(run with { Privacy = null }, StoreJson.Default.RunDocument);
    }

    internal async Task<Reply> StartAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var run = await UnendedAsync(call.Name("run"), cancellationToken);
        if (run.Spec.Architecture is null && await models.ServedAsync(run.Spec.Model, cancellationToken) is null)
        {
            return Reply.Problem(Problems.WrongState(
                $"Model '{run.Spec.Model}' has no version and the spec no architecture: put a model first (fed model put {run.Spec.Model} FILE)."));
        }

        if (await privacy.RefuseStartAsync(run, cancellationToken) is { } refusal)
        {
            return Reply.Problem(refusal);
        }

        await store.PutBytesAsync(StoreNames.RunStarted(run.Id), default, PutCondition.CreateOnce, cancellationToken);
        if (await privacy.RefuseStartAsync(run, cancellationToken) is { } late)
        {
            // A budget was set in between, by somebody who did not see this run: it never was started.
            await store.DeleteAsync(StoreNames.RunStarted(run.Id), cancellationToken);
            return Reply.Problem(late);
        }

        var control = new ControlDocument(ControlStates.Run, null);
        await store.PutAsync(StoreNames.RunControl(run.Id), control, StoreJson.Default.ControlDocument, PutCondition.CreateOnce, cancellationToken);
        var active = await store.CreateOnceAsync(
            StoreNames.ActiveRun(run.Spec.Population, run.Id), new ActiveRunDocument(run.Id), StoreJson.Default.ActiveRunDocument, cancellationToken);
        await recovery.LaunchAsync(run, active.Value.Instance, call.Workflows, cancellationToken);
        return await ShowAsync(StatusCodes.Status200OK, run.Id, call.Workflows, cancellationToken);
    }

    internal Task<Reply> PauseAsync(RouteCall call, CancellationToken cancellationToken) => SteerAsync(call, ControlStates.Pause, cancellationToken);

    internal Task<Reply> ResumeAsync(RouteCall call, CancellationToken cancellationToken) => SteerAsync(call, ControlStates.Run, cancellationToken);

    internal Task<Reply> StopAsync(RouteCall call, CancellationToken cancellationToken) => SteerAsync(call, ControlStates.Stop, cancellationToken);

    /// <summary>
    /// Starts the run's workflow again under a new id, from nothing but blobs. A first instance that still runs does no harm: every
    /// output is create-once at a name both compute.
    /// </summary>
    internal async Task<Reply> RecoverAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var run = await UnendedAsync(call.Name("run"), cancellationToken);
        await RequireStartedAsync(run.Id, cancellationToken);
        await recovery.RecoverAsync(run, call.Workflows, cancellationToken);
        return await ShowAsync(StatusCodes.Status200OK, run.Id, call.Workflows, cancellationToken);
    }

    private async Task<Reply> SteerAsync(RouteCall call, string desired, CancellationToken cancellationToken)
    {
        var run = await UnendedAsync(call.Name("run"), cancellationToken);
        await RequireStartedAsync(run.Id, cancellationToken);
        var reason = call.Query("reason");
        if (reason?.Length > MaxReasonLength)
        {
            return Reply.Problem(Problems.Invalid(
                "Nothing changed.", [new Problem("reason", RouteCall.Shorten(reason), $"at most {MaxReasonLength} characters")]));
        }

        while (true)
        {
            var stored = await store.GetAsync(StoreNames.RunControl(run.Id), StoreJson.Default.ControlDocument, cancellationToken);
            if (stored.Value.Desired == desired)
            {
                break;
            }

            if (stored.Value.Desired == ControlStates.Stop)
            {
                return Reply.Problem(Problems.WrongState($"Run '{run.Id}' is being stopped; that is not taken back."));
            }

            var put = await store.PutAsync(
                StoreNames.RunControl(run.Id), new ControlDocument(desired, reason), StoreJson.Default.ControlDocument,
                PutCondition.IfMatch(stored.ETag), cancellationToken);
            if (put.Written)
            {
                break;
            }
        }

        await WakeAsync(run, desired, call.Workflows, cancellationToken);
        return await ShowAsync(StatusCodes.Status200OK, run.Id, call.Workflows, cancellationToken);
    }

    private async Task WakeAsync(RunDocument run, string desired, IWorkflowClient workflows, CancellationToken cancellationToken)
    {
        var active = await store.FindAsync(
            StoreNames.ActiveRun(run.Spec.Population, run.Id), StoreJson.Default.ActiveRunDocument, cancellationToken);
        var instance = active?.Value.Instance ?? run.Id;
        await workflows.WakeAsync(instance, WakeEvents.Control, cancellationToken);

        // A run waits for one kind of wake at a time: while it waits for clients, only that one reaches it.
        await workflows.WakeAsync(instance, WakeEvents.Clients, cancellationToken);
        if (desired == ControlStates.Stop)
        {
            var location = await RunLocation.FindAsync(store, run.Id, cancellationToken);
            await workflows.WakeAsync(RoundWorkflow.InstanceId(instance, location.Closed + 1), WakeEvents.Quorum, cancellationToken);
            await workflows.WakeAsync(EvaluationWorkflow.InstanceId(instance, location.Closed), WakeEvents.Quorum, cancellationToken);
        }
    }

    private async Task<RunDocument> UnendedAsync(string run, CancellationToken cancellationToken)
    {
        var document = await store.FindAsync(StoreNames.Run(run), StoreJson.Default.RunDocument, cancellationToken) ?? throw RunViews.Absent(run);
        var outcome = await store.FindAsync(StoreNames.RunOutcome(run), StoreJson.Default.RunOutcomeDocument, cancellationToken);
        return outcome is null
            ? document.Value
            : throw new ProblemException(Problems.WrongState($"Run '{run}' has ended: {outcome.Value.State}. Create another to train on."));
    }

    private async Task RequireStartedAsync(string run, CancellationToken cancellationToken)
    {
        if (await store.HeadAsync(StoreNames.RunControl(run), cancellationToken) is null)
        {
            throw new ProblemException(Problems.WrongState($"Run '{run}' is a draft; start it first."));
        }
    }

    private async Task<Reply> ShowAsync(int status, string run, IWorkflowClient workflows, CancellationToken cancellationToken)
    {
        var view = await views.FindAsync(run, workflows, cancellationToken) ?? throw RunViews.Absent(run);
        return Reply.Json(status, view, WireJson.Default.RunView);
    }
}
