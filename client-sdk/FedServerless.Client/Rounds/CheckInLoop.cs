using System.Text.Json;
using FedServerless.Client.Adaptivity;
using FedServerless.Client.Http;
using FedServerless.Client.State;
using FedServerless.Client.Telemetry;
using FedServerless.Wire;

namespace FedServerless.Client.Rounds;

/// <summary>Checks in, does the work that brings, and knows when to come back.</summary>
internal sealed class CheckInLoop(
    StateFolder state,
    FedClientOptions options,
    DeviceConnection connection,
    ReceiptQuery receipts,
    ModelCache models,
    TrainRound training,
    EvaluateRound evaluation,
    RetryPolicy retries,
    ClientEvents events,
    Pace pace)
{
    /// <summary>Shortest pause after an answer without work that the server did not hold.</summary>
    public static readonly TimeSpan MinPause = TimeSpan.FromSeconds(1);

    /// <summary>First pause when the server repeats settled work; doubles up to <see cref="MaxRepeatPause"/>.</summary>
    public static readonly TimeSpan FirstRepeatPause = TimeSpan.FromMilliseconds(250);

    /// <summary>Longest pause when the server repeats settled work.</summary>
    public static readonly TimeSpan MaxRepeatPause = TimeSpan.FromSeconds(30);

    private readonly WorkMemory _left = new();
    private readonly WorkMemory _evaluated = new();
    private int _repeats;
    private (string Run, int Round)? _lastCommitted;

    public async Task RunAsync(IFedTrainer trainer, CancellationToken cancellationToken)
    {
        for (var failures = 0; ;)
        {
            TimeSpan pause;
            try
            {
                var step = await StepAsync(trainer, cancellationToken).ConfigureAwait(false);
                failures = 0;

                // Devices whose day ends, or whose office empties, at the same moment should not all return at it.
                pause = step.Outcome == FedStepOutcome.Deferred ? retries.Paced(step.Pause) : step.Pause;
            }
            catch (FedClientException problem) when (MayPass(problem))
            {
                failures++;
                pause = retries.Backoff(failures);
                events.Retry("step", failures, pause, problem.Message);
            }

            await retries.DelayAsync(pause, cancellationToken).ConfigureAwait(false);
        }
    }

    public async Task<FedStep> StepAsync(IFedTrainer trainer, CancellationToken cancellationToken)
    {
        Prune();
        if (pace.BeforeCheckIn() is { } deferral)
        {
            return Defer(deferral, null);
        }

        try
        {
            return await WorkAsync(trainer, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Settle();
        }
    }

    private async Task<FedStep> WorkAsync(IFedTrainer trainer, CancellationToken cancellationToken)
    {
        var began = options.TimeProvider.GetTimestamp();
        var answer = await CheckInAsync(options.CheckInWait, cancellationToken).ConfigureAwait(false);
        if (answer.Train is { } train)
        {
            return await TrainAsync(train, trainer, cancellationToken).ConfigureAwait(false);
        }

        if (answer.Evaluate is { } evaluate)
        {
            return await EvaluateAsync(evaluate, trainer, cancellationToken).ConfigureAwait(false);
        }

        _repeats = 0;
        models.Encodings.Widen();
        var pause = IdlePause(answer.RetryAfterSeconds, options.TimeProvider.GetElapsedTime(began));
        events.Report(new CheckedIn("none", null, null, pause));
        return new FedStep(FedStepOutcome.NoWork, null, null, pause);
    }

    private async Task<FedStep> TrainAsync(TrainLease lease, IFedTrainer trainer, CancellationToken cancellationToken)
    {
        var work = new Work(lease.Run, lease.Round, Deadline.In(options.TimeProvider, lease.RemainingSeconds));
        var step = await DoAsync(RoundFolder.Train, work, lease.Base.Digest, RunAsync).ConfigureAwait(false);
        if (step.Outcome is FedStepOutcome.Committed or FedStepOutcome.Late)
        {
            _lastCommitted = (lease.Run, lease.Round);
            pace.Committed(lease.Choice);
        }

        return step;

        async Task<string?> RunAsync()
        {
            LeaseCheck.Train(lease, options.MaxModelBytes);
            pace.Begin(lease.Choice);
            if (await IsSettledAsync(RoundFolder.Of(state, RoundFolder.Train, work), work, cancellationToken).ConfigureAwait(false))
            {
                return null;
            }

            await ReportOutcomeAsync(cancellationToken).ConfigureAwait(false);
            return await training.RunAsync(lease, work, trainer, RefreshAsync, cancellationToken).ConfigureAwait(false);
        }

        async Task<ModelSource> RefreshAsync(Func<TrainLease, ModelSource?> choose, CancellationToken token)
        {
            var answer = await CheckInAsync(TimeSpan.Zero, token).ConfigureAwait(false);
            if (answer.Train is not { } fresh || fresh.Run != lease.Run || fresh.Round != lease.Round)
            {
                throw NoLonger();
            }

            LeaseCheck.Train(fresh, options.MaxModelBytes);
            return Same(choose(lease)!.Model, choose(fresh) ?? throw NoLonger());
        }
    }

    private Task<FedStep> EvaluateAsync(EvaluateLease lease, IFedTrainer trainer, CancellationToken cancellationToken)
    {
        var work = new Work(lease.Run, lease.Round, Deadline.In(options.TimeProvider, lease.RemainingSeconds));
        return DoAsync(RoundFolder.Evaluate, work, lease.Artifact.Digest, RunAsync);

        async Task<string?> RunAsync()
        {
            LeaseCheck.Evaluate(lease, options.MaxModelBytes);
            if (RoundFolder.Of(state, RoundFolder.Evaluate, work).Settlement is not null)
            {
                return null;
            }

            var evaluated = await evaluation.RunAsync(lease, work, trainer, RefreshAsync, cancellationToken).ConfigureAwait(false);
            if (!_evaluated.Add(NameOf(RoundFolder.Evaluate, work, lease.Artifact.Digest)))
            {
                return null;
            }

            events.Report(evaluated);
            return evaluated.State;
        }

        async Task<ModelSource> RefreshAsync(CancellationToken token)
        {
            var answer = await CheckInAsync(TimeSpan.Zero, token).ConfigureAwait(false);
            return answer.Evaluate is { } fresh && fresh.Run == lease.Run && fresh.Round == lease.Round
                ? Same(lease.Artifact, new ModelSource(fresh.Artifact))
                : throw NoLonger();
        }
    }

    /// <summary>
    /// Does a piece of work unless it has been left; whatever is wrong with it costs this piece only. <paramref name="run"/>
    /// returns null for work that was settled before.
    /// </summary>
    private async Task<FedStep> DoAsync(string kind, Work work, Digest artifact, Func<Task<string?>> run)
    {
        events.Report(new CheckedIn(kind, work.Run, work.Round, TimeSpan.Zero));
        var name = NameOf(kind, work, artifact);
        GiveUpException problem;
        try
        {
            var settled = _left.Contains(name) ? null : await run().ConfigureAwait(false);
            if (settled is null)
            {
                return new FedStep(FedStepOutcome.Repeated, work.Run, work.Round, RepeatPause());
            }

            _repeats = 0;
            return new FedStep(
                settled == ReceiptStates.Late ? FedStepOutcome.Late : FedStepOutcome.Committed, work.Run, work.Round, TimeSpan.Zero);
        }
        catch (DeferredException reason)
        {
            return Defer(reason.Deferral, work);
        }
        catch (GiveUpException reason)
        {
            problem = reason;
        }
        catch (Exception broken) when (broken is IOException or UnauthorizedAccessException)
        {
            problem = new GiveUpException($"the state folder cannot be used: {broken.Message}", broken);
        }

        // Remembered for this process only: after a restart, with the cause mended, the work may be tried again.
        if (!problem.MayTryAgain)
        {
            _left.Add(name);
        }

        events.Report(new GaveUp(work.Run, work.Round, problem.Message, problem.InnerException));
        return new FedStep(FedStepOutcome.GaveUp, work.Run, work.Round, RepeatPause(), problem.Message);
    }

    private FedStep Defer(Deferral deferral, Work? work)
    {
        events.Report(new Deferred(deferral.Reason, deferral.Pause));
        return new FedStep(FedStepOutcome.Deferred, work?.Run, work?.Round, deferral.Pause, deferral.Reason);
    }

    private void Settle()
    {
        try
        {
            pace.Settle();
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // A full disk: what is there runs ahead of the truth, and averages come again.
        }
    }

    /// <summary>
    /// True when this device has settled the round and the server agrees. A server that does not know the receipt has begun the
    /// round anew (a run deleted and created again under its name), and so does the device.
    /// </summary>
    private async Task<bool> IsSettledAsync(RoundFolder folder, Work work, CancellationToken cancellationToken)
    {
        if (folder.Settlement is not { } settlement)
        {
            return false;
        }

        if (settlement.State != Settlement.GaveUp)
        {
            try
            {
                var status = await receipts.AskAsync(work.Run, work.Round, cancellationToken).ConfigureAwait(false);
                if (status.State == ReceiptStates.Unknown)
                {
                    folder.Discard();
                    return false;
                }
            }
            catch (FedClientException problem) when (MayPass(problem))
            {
                // No news: what this device remembers stands.
            }
        }

        return true;
    }

    private async Task<CheckInResponse> CheckInAsync(TimeSpan hold, CancellationToken cancellationToken)
    {
        var request = new CheckInRequest(DeviceApi.Version, DeviceHttp.Sdk) { Holds = models.Holds(), Reads = models.Encodings.Names, Measured = pace.Told() };
        var body = JsonSerializer.SerializeToUtf8Bytes(request, WireJson.Default.CheckInRequest);
        var call = new ApiCall("check-in", HttpMethod.Post, "check-in", body, hold);
        var answer = await connection.CallAsync(
            call, WireJson.Default.CheckInResponse, Deadline.Never(options.TimeProvider), cancellationToken).ConfigureAwait(false);
        return answer.Body.MinimumApiVersion <= DeviceApi.Version
            ? answer.Body
            : throw new FedClientException(
                $"The server speaks protocol {answer.Body.MinimumApiVersion} or newer, this SDK {DeviceApi.Version}. Update the FedServerless.Client package.");
    }

    private async Task ReportOutcomeAsync(CancellationToken cancellationToken)
    {
        if (!options.ReportOutcomes || _lastCommitted is not var (run, round))
        {
            return;
        }

        _lastCommitted = null;
        try
        {
            var status = await receipts.AskAsync(run, round, cancellationToken).ConfigureAwait(false);
            events.Report(new OutcomeKnown(run, round, status.State, status.Reason));
        }
        catch (FedClientException problem) when (MayPass(problem))
        {
            // Nice to know, no more: the next round does not wait for it.
        }
    }

    private void Prune()
    {
        try
        {
            RoundFolder.Prune(state, options.TimeProvider.GetUtcNow());
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new FedClientException($"The state folder '{state.Path}' cannot be used: {problem.Message}", problem) { IsTransient = true };
        }
    }

    /// <summary>
    /// A refusal without problem details does not come from this API, but from something in front of it that may go away again.
    /// </summary>
    private static bool MayPass(FedClientException problem) => problem.IsTransient || problem is { Status: not null, Problem: null };

    private static string NameOf(string kind, Work work, Digest artifact) => $"{kind} {work.Run} {work.Round} {artifact}";

    private static ModelSource Same(ModelArtifact wanted, ModelSource fresh) => fresh.Model.Digest == wanted.Digest
        ? fresh
        : throw new GiveUpException("the round's model is given out in another form than before; the next check-in takes it so");

    private static GiveUpException NoLonger() => new("the work is no longer on offer");

    private TimeSpan IdlePause(double retryAfterSeconds, TimeSpan held)
    {
        var asked = TimeSpan.FromSeconds(
            double.IsNaN(retryAfterSeconds) ? 0 : Math.Clamp(retryAfterSeconds, 0, RetryPolicy.MaxRetryAfter.TotalSeconds));
        return retries.Paced(asked > TimeSpan.Zero || held >= MinPause ? asked : MinPause);
    }

    private TimeSpan RepeatPause()
    {
        var pause = FirstRepeatPause * Math.Pow(2, Math.Min(_repeats++, 20));
        return retries.Paced(pause < MaxRepeatPause ? pause : MaxRepeatPause);
    }
}
