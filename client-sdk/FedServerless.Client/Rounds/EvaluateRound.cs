using System.Text.Json;
using FedServerless.Client.Http;
using FedServerless.Client.State;
using FedServerless.Client.Telemetry;
using FedServerless.Wire;

namespace FedServerless.Client.Rounds;

/// <summary>Evaluates one published version: download, evaluate, post. The evaluation is stored before it is sent.</summary>
internal sealed class EvaluateRound(
    string client, StateFolder state, ModelCache models, DeviceConnection connection)
{
    private const string Verb = "evaluate";
    private const string EvaluationFile = "evaluation.json";

    /// <param name="lease">The version; checked.</param>
    /// <param name="work">The same, and its deadline.</param>
    /// <param name="trainer">The application's.</param>
    /// <param name="refresh">Asks for the same model with fresh URLs.</param>
    /// <param name="cancellationToken">Stops; everything done so far stays.</param>
    /// <returns>What the server has now, as an event.</returns>
    public async Task<Evaluated> RunAsync(
        EvaluateLease lease, Work work, IFedTrainer trainer, Func<CancellationToken, Task<ModelSource>> refresh, CancellationToken cancellationToken)
    {
        var folder = RoundFolder.Of(state, RoundFolder.Evaluate, work);
        var evaluation = Find(folder, lease)
            ?? await EvaluateAsync(folder, lease, work, trainer, refresh, cancellationToken).ConfigureAwait(false);
        try
        {
            // Posted again when the lease is repeated: the same bytes, the same answer.
            return await PostAsync(work, evaluation, cancellationToken).ConfigureAwait(false);
        }
        catch (FedClientException refusal) when (Refusal.IsOfTheWork(refusal))
        {
            throw Refusal.Settle(folder, refusal);
        }
    }

    private Evaluation? Find(RoundFolder folder, EvaluateLease lease)
    {
        try
        {
            var path = folder.File(EvaluationFile);
            var evaluation = File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), WireJson.Default.Evaluation) : null;
            return evaluation is not null && evaluation.ArtifactDigest == lease.Artifact.Digest && evaluation.Client == client ? evaluation : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task<Evaluation> EvaluateAsync(
        RoundFolder folder, EvaluateLease lease, Work work, IFedTrainer trainer, Func<CancellationToken, Task<ModelSource>> refresh, CancellationToken cancellationToken)
    {
        EvaluateContext context;
        using (ClientEvents.Start("download", work))
        {
            var path = await models.GetAsync(new ModelSource(lease.Artifact), work, refresh, cancellationToken).ConfigureAwait(false);
            context = new EvaluateContext
            {
                Run = lease.Run,
                Round = lease.Round,
                Model = LeasedModel.Read(path, lease.Artifact),
                Deadline = work.WallClockDeadline,
                Time = work.Deadline.Time,
            };
        }

        EvaluationResult result;
        using (ClientEvents.Start("evaluate", work))
        {
            result = await TrainerCalls.RunAsync(work, Verb, token => trainer.EvaluateAsync(context, token), cancellationToken).ConfigureAwait(false);
        }

        var evaluation = new Evaluation(client, work.Run, work.Round, lease.Artifact.Digest, result.Samples, TrainerCalls.Check(result));
        var fresh = folder.Prepare(work.WallClockDeadline);
        StateFolder.WriteWhole(
            Path.Combine(fresh, EvaluationFile), JsonSerializer.SerializeToUtf8Bytes(evaluation, WireJson.Default.Evaluation));
        folder.Keep();
        return evaluation;
    }

    private async Task<Evaluated> PostAsync(Work work, Evaluation evaluation, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(evaluation, WireJson.Default.Evaluation);
        var call = new ApiCall("evaluation", HttpMethod.Post, $"{work.Route}/evaluations", body);
        var answer = await connection.CallAsync(call, WireJson.Default.CommitResponse, work.Deadline, cancellationToken).ConfigureAwait(false);
        return new Evaluated(
            work.Run, work.Round, answer.Body.State, evaluation.Samples, evaluation.Metrics.GetValueOrDefault(TrainerCalls.Loss));
    }
}
