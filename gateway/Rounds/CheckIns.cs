using System.Globalization;
using FedServerless.Activities.Clients;
using FedServerless.Activities.Metering;
using FedServerless.Activities.State;
using FedServerless.Capacity;
using FedServerless.Gateway.Authentication;
using FedServerless.Gateway.Http;
using FedServerless.Numerics;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Workflows;
using FedServerless.Workflows.Engine;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Rounds;

/// <summary><c>POST check-in</c>: a lease for whoever is selected, a pause for everybody else.</summary>
public sealed class CheckIns(
    IObjectStore store, RoundBoard board, PresenceBook presence, ClientRegistry clients, GatewayOptions options, ServerSigner signer,
    TimeProvider time)
{
    /// <summary>Purpose under which a client's seed is derived from its round's.</summary>
    public const string SeedPurpose = "client";

    /// <summary>Longest SDK name noted.</summary>
    public const int MaxSdkLength = 64;

    /// <summary>Most check-ins of one client that a host holds at once: a device that asks again and again is answered at once.</summary>
    public const int MaxHeldPerClient = 4;

    private readonly Dictionary<string, int> _held = new(StringComparer.Ordinal);

    internal async Task<Reply> CheckInAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var request = call.Read(WireJson.Default.CheckInRequest);
        if (request.ApiVersion != DeviceApi.Version)
        {
            return Reply.Problem(Problems.ApiVersion(request.ApiVersion));
        }

        if (request.Sdk.Length > MaxSdkLength)
        {
            return Reply.Problem(Problems.Invalid(
                "Nothing was noted.", [new Problem("sdk", RouteCall.Shorten(request.Sdk), $"at most {MaxSdkLength} characters")]));
        }

        if (request.Measured?.Validate("measured") is { Count: > 0 } problems)
        {
            return Reply.Problem(Problems.Invalid("Nothing was noted.", problems));
        }

        if (request.Holds?.Count > DeviceApi.MaxHeldModels || request.Reads?.Count > DeviceApi.MaxEncodings)
        {
            return Reply.Problem(Problems.Invalid(
                "Nothing was noted.",
                [new Problem("holds, reads", $"{request.Holds?.Count} and {request.Reads?.Count}", $"at most {DeviceApi.MaxHeldModels} and {DeviceApi.MaxEncodings}")]));
        }

        if (call.Device.Quarantine is not null)
        {
            return Signed(new CheckInResponse { RetryAfterSeconds = options.MaxRetryAfter.TotalSeconds }, call.Device);
        }

        await NoteAsync(call.Device, request.Measured?.UpBytesPerSecond, call.Workflows, cancellationToken);
        var isHeld = TryHold(call.Device.Client);
        try
        {
            var response = await FindWorkAsync(call.Device, request, isHeld ? HoldFor(call.Http.Request) : TimeSpan.Zero, cancellationToken);
            return Signed(response, call.Device);
        }
        finally
        {
            if (isHeld)
            {
                LetGo(call.Device.Client);
            }
        }
    }

    private Reply Signed(CheckInResponse response, DeviceCaller device)
    {
        var reply = Reply.Json(StatusCodes.Status200OK, response, WireJson.Default.CheckInResponse);
        return reply.With(ServerSigner.Header, signer.Sign(reply.Body, device.Proof));
    }

    private bool TryHold(string client)
    {
        lock (_held)
        {
            var held = _held.GetValueOrDefault(client);
            if (held == MaxHeldPerClient)
            {
                return false;
            }

            _held[client] = held + 1;
            return true;
        }
    }

    private void LetGo(string client)
    {
        lock (_held)
        {
            if (--_held[client] == 0)
            {
                _held.Remove(client);
            }
        }
    }

    private async Task NoteAsync(DeviceCaller device, double? uplink, IWorkflowClient workflows, CancellationToken cancellationToken)
    {
        if (await presence.NoteAsync(device.Population, device.Client, cancellationToken, uplink))
        {
            await ActiveRuns.WakeAsync(store, workflows, device.Population, WakeEvents.Clients, cancellationToken);
        }
    }

    /// <summary>Seconds to hold: what <c>Prefer: wait=N</c> asks for (RFC 7240), at most what the host allows.</summary>
    private TimeSpan HoldFor(HttpRequest request)
    {
        foreach (var preference in request.Headers.GetCommaSeparatedValues("Prefer"))
        {
            if (preference.Split('=', 2) is ["wait", var text] && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            {
                return TimeSpan.FromSeconds(Math.Min(seconds, options.HoldCheckInsFor.TotalSeconds));
            }
        }

        return TimeSpan.Zero;
    }

    private async Task<CheckInResponse> FindWorkAsync(DeviceCaller device, CheckInRequest request, TimeSpan hold, CancellationToken cancellationToken)
    {
        using var letGo = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, options.Stopping);
        var since = time.GetTimestamp();
        while (true)
        {
            var view = await board.LookAsync(device.Population, cancellationToken);
            var response = await TrainAsync(view, device, request, cancellationToken) ?? await EvaluateAsync(view, device, cancellationToken);
            if (response is not null)
            {
                return response;
            }

            var held = time.GetElapsedTime(since);
            if (held >= hold || options.Stopping.IsCancellationRequested)
            {
                var seconds = Pacing.RetryAfterSeconds(options, presence.CountHere(device.Population), held >= hold ? hold : TimeSpan.Zero, Random.Shared.NextDouble());
                return new CheckInResponse { RetryAfterSeconds = seconds };
            }

            try
            {
                var left = hold - held;
                await UsageScope.RestAsync(board.WaitAsync(view, left < options.BoardFreshFor ? left : options.BoardFreshFor, letGo.Token));
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // The host stops: the next turn of the loop sends the client away.
            }
        }
    }

    private async Task<CheckInResponse?> TrainAsync(BoardView view, DeviceCaller device, CheckInRequest request, CancellationToken cancellationToken)
    {
        foreach (var work in view.Trainings)
        {
            var remaining = (work.Deadline - time.GetUtcNow()).TotalSeconds;
            if (remaining <= 0 || work.Done.ContainsKey(device.Client) || !await work.File.IsSelectedAsync(device.Client, cancellationToken))
            {
                continue;
            }

            // The receipt may have come in through another host: look once before a device trains for nothing.
            if (await store.HeadAsync(StoreNames.Receipt(work.Run, work.Round, device.Client), cancellationToken) is not null)
            {
                work.Done[device.Client] = 0;
                continue;
            }

            UsageScope.Current?.Attribute(work.Run, work.Round);
            await RefuseRevokedAsync(device.Client, cancellationToken);
            var plan = work.File.Plan;
            var (start, via) = await StartAsync(work.File, device.Client, request, cancellationToken);
            if (start is null)
            {
                // The device reads nothing of what the round serves.
                continue;
            }

            var down = (via?.Sum(step => step.Bytes) ?? start.Bytes) + (plan.Solver?.SentFor(plan.Training)?.Bytes ?? 0);
            var choice = await LeaseChoices.MakeAsync(store, work.File, device.Client, request.Measured, down, cancellationToken);
            return new CheckInResponse
            {
                Train = new TrainLease
                {
                    Run = work.Run,
                    Round = work.Round,
                    Model = plan.Model,
                    Base = start,
                    Via = via,
                    Training = LeaseChoice.Apply(plan.Training, choice),
                    Seed = DeterministicRandom.DeriveSeed(plan.Seed, SeedPurpose, device.Client),
                    Update = plan.Update,
                    Privacy = plan.Privacy is { } privacy ? new LeasePrivacy(privacy.Clip, privacy.Terms.AdaptiveClip is not null) : null,
                    Solver = await SolverAsync(plan, cancellationToken),
                    Choice = choice,
                    RemainingSeconds = remaining,
                },
            };
        }

        return null;
    }

    private async Task<SolverLease?> SolverAsync(RoundPlan plan, CancellationToken cancellationToken)
    {
        if (plan.Solver is not { } solver)
        {
            return null;
        }

        return new SolverLease(
            solver.Since, solver.Clients, solver.SentFor(plan.Training) is not { } sum ? null : await ArtifactAsync(sum, RoundGeometry.SumLayout(plan).Digest, cancellationToken));
    }

    /// <summary>What the device is to start from, and how it gets there.</summary>
    private async Task<(ModelArtifact? Start, IReadOnlyList<ModelStep>? Via)> StartAsync(
        RoundFile file, string client, CheckInRequest request, CancellationToken cancellationToken)
    {
        var plan = file.Plan;
        if (plan.Download is null)
        {
            return (await ArtifactAsync(Source(plan, client, plan.Base), plan.Layout, cancellationToken), null);
        }

        if (await file.DownloadsAsync(cancellationToken) is not { } downloads
            || DownloadChoice.Choose(downloads, request.Holds ?? [], request.Reads ?? []) is not { } way)
        {
            return (null, null);
        }

        if (way.Whole is { } whole)
        {
            return (await ArtifactAsync(Source(plan, client, whole), plan.Layout, cancellationToken), null);
        }

        var steps = new List<ModelStep>();
        foreach (var step in way.Steps)
        {
            var get = await store.PresignGetAsync(Source(plan, client, step.Artifact).Object, options.UrlsValidFor, cancellationToken);
            steps.Add(new ModelStep(get.Url, step.Artifact.Bytes, step.Artifact.Digest, step.Start, step.Result));
        }

        return (new ModelArtifact("", way.ResultBytes, way.Result, plan.Layout), steps);
    }

    /// <summary>A file, or the client's copy of it where many fetch: the same bytes under the same digest.</summary>
    private static StoredArtifact Source(RoundPlan plan, string client, StoredArtifact file) => (file.Digest == plan.Base.Digest) switch
    {
        true when plan.ModelCopies > 1 => file with { Object = StoreNames.ModelCopy(plan.Run, plan.Round, ModelReplicas.Of(client, plan.ModelCopies)) },
        false when plan.DownloadCopies > 1 => file with { Object = StoreNames.DownloadCopy(plan.Run, plan.Round, ModelReplicas.Of(client, plan.DownloadCopies), file.Digest) },
        _ => file,
    };

    private async Task<CheckInResponse?> EvaluateAsync(BoardView view, DeviceCaller device, CancellationToken cancellationToken)
    {
        foreach (var work in view.Evaluations)
        {
            var remaining = (work.Document.Deadline - time.GetUtcNow()).TotalSeconds;
            if (remaining <= 0 || work.Done.ContainsKey(device.Client) || !work.Asked.Contains(device.Client))
            {
                continue;
            }

            if (await store.HeadAsync(StoreNames.Evaluation(work.Run, work.Round, device.Client), cancellationToken) is not null)
            {
                work.Done[device.Client] = 0;
                continue;
            }

            UsageScope.Current?.Attribute(work.Run, work.Round);
            await RefuseRevokedAsync(device.Client, cancellationToken);
            return new CheckInResponse
            {
                Evaluate = new EvaluateLease
                {
                    Run = work.Run,
                    Round = work.Round,
                    Model = work.Document.Model,
                    Artifact = await ArtifactAsync(work.Document.Artifact, work.Document.Layout, cancellationToken),
                    RemainingSeconds = remaining,
                },
            };
        }

        return null;
    }

    // A host remembers keys for a while; work is given only to a client that is enrolled as of now.
    private async Task RefuseRevokedAsync(string client, CancellationToken cancellationToken)
    {
        if (await clients.FindAsync(client, cancellationToken) is not { State: ClientStates.Enrolled })
        {
            throw new ProblemException(Problems.Revoked(client));
        }
    }

    private async Task<ModelArtifact> ArtifactAsync(StoredArtifact artifact, Digest layout, CancellationToken cancellationToken)
    {
        var request = await store.PresignGetAsync(artifact.Object, options.UrlsValidFor, cancellationToken);
        return new ModelArtifact(request.Url, artifact.Bytes, artifact.Digest, layout);
    }
}
