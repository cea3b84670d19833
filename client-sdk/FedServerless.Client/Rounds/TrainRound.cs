using System.Text.Json;
using FedServerless.Adaptation;
using FedServerless.Client.Adaptivity;
using FedServerless.Client.Http;
using FedServerless.Client.State;
using FedServerless.Client.Telemetry;
using FedServerless.Compression;
using FedServerless.Model;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Client.Rounds;

/// <summary>Takes part in one round: download, train, encode, upload, commit. Each step is skipped when an earlier process has done it.</summary>
internal sealed class TrainRound(
    string client, StateFolder state, ModelCache models, UpdateUpload uploads, Settling settling, DeviceConnection connection, ClientEvents events,
    DeviceMeter meter, Willingness willing)
{
    /// <summary>Times an update is uploaded in one step when the store loses what it has acknowledged.</summary>
    public const int MaxUploads = 3;

    private const string Verb = "train";

    /// <param name="lease">The round; checked.</param>
    /// <param name="work">The same, and its deadline.</param>
    /// <param name="trainer">The application's.</param>
    /// <param name="refresh">Asks for the same model of the lease with fresh URLs.</param>
    /// <param name="cancellationToken">Stops; everything done so far stays.</param>
    /// <returns>The receipt's state.</returns>
    public async Task<string> RunAsync(
        TrainLease lease, Work work, IFedTrainer trainer, Func<Func<TrainLease, ModelSource?>, CancellationToken, Task<ModelSource>> refresh, CancellationToken cancellationToken)
    {
        var folder = RoundFolder.Of(state, RoundFolder.Train, work);
        var update = Find(folder, lease)
            ?? await TrainAsync(folder, lease, work, trainer, refresh, cancellationToken).ConfigureAwait(false);
        try
        {
            return await SendAsync(folder, lease, work, update, cancellationToken).ConfigureAwait(false);
        }
        catch (FedClientException refusal) when (Refusal.IsOfTheWork(refusal))
        {
            foreach (var kept in KeptFor(lease))
            {
                kept.CommitRefused();
            }

            throw Refusal.Settle(folder, refusal);
        }
    }

    /// <summary>What an earlier process stored, unless what this device keeps for the model has moved on without it.</summary>
    private StoredUpdate? Find(RoundFolder folder, TrainLease lease)
    {
        var update = StoredUpdate.Find(folder, lease, client);
        return update is not null && KeptFor(lease).All(kept => kept.Pending == update.Id) ? update : null;
    }

    /// <summary>What this device keeps between the rounds of a model, for what the lease asks.</summary>
    private IEnumerable<SettlingState> KeptFor(TrainLease lease)
    {
        if (lease.Update.ErrorFeedback)
        {
            yield return settling.Of(new SettlingKey(lease.Model, SettlingKinds.Residual, lease.Base.LayoutDigest));
        }

        if (SolverMemory.KeyOf(lease) is { } memory)
        {
            yield return settling.Of(memory);
        }
    }

    private async Task<string> SendAsync(RoundFolder folder, TrainLease lease, Work work, StoredUpdate update, CancellationToken cancellationToken)
    {
        willing.Require(0);
        for (var sent = 1; ; sent++)
        {
            using (ClientEvents.Start("upload", work))
            {
                await uploads.SendAsync(work, update, cancellationToken).ConfigureAwait(false);
            }

            try
            {
                foreach (var kept in KeptFor(lease))
                {
                    kept.BeginCommit();
                }

                using (ClientEvents.Start("commit", work))
                {
                    return await CommitAsync(folder, work, update, cancellationToken).ConfigureAwait(false);
                }
            }
            catch (FedClientException refusal) when (sent < MaxUploads && refusal.Problem?.Type == ProblemTypes.IncompleteUpload)
            {
                // A store that crashed may have lost what it had acknowledged: asking again names what is missing now.
            }
        }
    }

    private async Task<StoredUpdate> TrainAsync(
        RoundFolder folder, TrainLease lease, Work work, IFedTrainer trainer, Func<Func<TrainLease, ModelSource?>, CancellationToken, Task<ModelSource>> refresh, CancellationToken cancellationToken)
    {
        SolverMemory.Check(lease, trainer);
        ModelState start;
        using (ClientEvents.Start("download", work))
        {
            var path = await models.GetAsync(
                new ModelSource(lease.Base, lease.Via), work, token => refresh(fresh => new ModelSource(fresh.Base, fresh.Via), token), cancellationToken).ConfigureAwait(false);
            start = LeasedModel.Read(path, lease.Base);
        }

        var shape = ShapeOf(lease, start);
        var residual = await ResidualAsync(lease, work, start, cancellationToken).ConfigureAwait(false);
        var memory = await SolverMemory.TakeAsync(
            lease, work, start.Parameters.Length, settling,
            sum => models.GetAsync(
                new ModelSource(sum), work, token => refresh(fresh => fresh.Solver?.Sum is { } other ? new ModelSource(other) : null, token), cancellationToken),
            cancellationToken).ConfigureAwait(false);
        var context = new FitContext
        {
            Run = lease.Run,
            Round = lease.Round,
            Model = start.Clone(),
            Training = lease.Training,
            Correction = memory?.Correction ?? ReadOnlyMemory<float>.Empty,
            Seed = lease.Seed,
            Deadline = work.WallClockDeadline,
            Time = work.Deadline.Time,
        };

        // Nothing is trained that could not be sent today.
        willing.Require(shape.HeaderLength + shape.MaxPayloadLength);
        var measurement = new LocalMeasurement(lease, work, trainer);
        await measurement.TakeAsync("before", start, cancellationToken).ConfigureAwait(false);
        var time = work.Deadline.Time;
        var began = time.GetTimestamp();
        FitResult result;
        using (ClientEvents.Start("fit", work))
        {
            result = await TrainerCalls.RunAsync(work, Verb, token => trainer.FitAsync(context, token), cancellationToken).ConfigureAwait(false);
        }

        var took = time.GetElapsedTime(began);
        await measurement.TakeAsync("after", context.Model, cancellationToken).ConfigureAwait(false);
        result = measurement.AddTo(result);
        var metrics = TrainerCalls.Check(result);
        events.Report(new Fitted(work.Run, work.Round, result.Samples, took));
        if (lease.Privacy is null)
        {
            meter.Trained(result.Samples, lease.Training.Epochs, took);
        }

        // No noise covers what a receipt says beside the update.
        var receipt = lease.Privacy is null
            ? new Receipt(client, work.Run, work.Round, lease.Base.Digest, default, 0, result.Samples, metrics) { Choice = lease.Choice }
            : new Receipt(client, work.Run, work.Round, lease.Base.Digest, default, 0, 1, new Dictionary<string, double>());
        try
        {
            return Store(folder, lease, work, start, context.Model, shape, receipt, residual, memory);
        }
        catch (NonFiniteUpdateException problem)
        {
            throw new GiveUpException(problem.Message.TrimEnd('.'), problem);
        }
    }

    private async Task<Residual?> ResidualAsync(TrainLease lease, Work work, ModelState start, CancellationToken cancellationToken)
    {
        var state = KeptFor(lease).FirstOrDefault(kept => kept.Key.Kind == SettlingKinds.Residual);
        return state is null
            ? null
            : new Residual(state, await settling.TakeAsync(state, work, start.Parameters.Length, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>
    /// All that happens between training and encoding, in this order: the deltas are taken, what earlier rounds could not send is
    /// added, and a private round clips the whole. What is kept for the next round is of what the encoder was given.
    /// </summary>
    private StoredUpdate Store(
        RoundFolder folder, TrainLease lease, Work work, ModelState start, ModelState trained, UpdateShape shape, Receipt receipt, Residual? residual,
        SolverMemory? memory)
    {
        var deltas = TakeDeltas(start, trained);
        if (residual is not null)
        {
            ErrorFeedback.Add(residual.Values, deltas.Span);
        }

        receipt = PrivateDelta.Clip(lease, deltas.Span, receipt);
        var partBytes = PartBytes(lease.Update, shape);
        if (residual is null && memory is null)
        {
            return StoredUpdate.Create(folder, lease, deltas.Span, trained, shape, receipt, work.WallClockDeadline, partBytes);
        }

        return StoredUpdate.Create(folder, lease, deltas.Span, trained, shape, receipt, work.WallClockDeadline, partBytes, (id, decoded) =>
        {
            memory?.Begin(id, decoded, receipt.Samples);
            residual?.State.Begin(id, residual.Values, ErrorFeedback.Remainder(deltas.Span, decoded), deltas);
        });
    }

    /// <summary>The part size that suits the link, where the plan leaves a choice; never one that makes too many parts.</summary>
    private int PartBytes(UpdateSpec update, UpdateShape shape)
    {
        var partBytes = PartSize.Choose(update.MinPartBytes ?? update.PartBytes, update.PartBytes, meter.Up, meter.BytesPerBreak);
        while (partBytes < update.PartBytes && shape.MaxParts(partBytes) > DeviceApi.MaxParts)
        {
            partBytes = Math.Min(2 * partBytes, update.PartBytes);
        }

        return partBytes;
    }

    /// <summary><c>trained − start</c> of the parameters, in the memory of the start, which nobody needs any more.</summary>
    private static Memory<float> TakeDeltas(ModelState start, ModelState trained)
    {
        var deltas = start.Parameters;
        var after = trained.Parameters;
        for (var i = 0; i < deltas.Length; i++)
        {
            deltas[i] = after[i] - deltas[i];
        }

        return start.Values.AsMemory(0, deltas.Length);
    }

    private static UpdateShape ShapeOf(TrainLease lease, ModelState start)
    {
        if (!UpdateCodecs.All.TryGet(lease.Update.Codec, out _))
        {
            throw new GiveUpException(
                $"the round wants updates in codec '{lease.Update.Codec}', this SDK writes {string.Join(", ", UpdateCodecs.All.Names)}; use a newer SDK");
        }

        try
        {
            var shape = UpdateShape.Create(start.Layout, lease.Update);
            return shape.MaxParts(lease.Update.PartBytes) <= DeviceApi.MaxParts
                ? shape
                : throw new GiveUpException($"with parts of {lease.Update.PartBytes} bytes an update of this model has more than {DeviceApi.MaxParts} parts");
        }
        catch (ArgumentException problem)
        {
            throw new GiveUpException($"the server's lease is not usable: {problem.Message}", problem);
        }
    }

    private async Task<string> CommitAsync(RoundFolder folder, Work work, StoredUpdate update, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(update.Receipt, WireJson.Default.Receipt);
        var call = new ApiCall("commit", HttpMethod.Post, $"{work.Route}/receipts", body);
        var answer = await connection.CallAsync(call, WireJson.Default.CommitResponse, work.Deadline, cancellationToken).ConfigureAwait(false);
        var settled = answer.Body.State;
        folder.Settle(new Settlement(settled, null));
        events.Report(new Committed(work.Run, work.Round, settled, update.Receipt.Bytes));
        return settled;
    }

    /// <summary>What earlier rounds of the model left unsent, and where the rest of this one goes.</summary>
    private sealed record Residual(SettlingState State, float[] Values);
}
