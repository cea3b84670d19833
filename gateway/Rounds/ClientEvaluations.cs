using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Gateway.Http;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Gateway.Rounds;

/// <summary><c>POST runs/{run}/rounds/{round}/evaluations</c>: closed and sealed like receipts.</summary>
public sealed class ClientEvaluations(IObjectStore store, RoundBoard board)
{
    internal async Task<Reply> PostAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var (run, round) = (call.Name("run"), call.Round());
        var evaluation = call.Read(WireJson.Default.Evaluation);
        var client = call.Device.Client;
        var problems = Admission.Check(
            evaluation.Client, evaluation.Run, evaluation.Round, evaluation.Samples, evaluation.Metrics, (client, run, round));
        if (evaluation.Metrics.TryGetValue(MetricNames.Accuracy, out var accuracy) && accuracy is not (>= 0 and <= 1))
        {
            // A run stops on it, so nobody claims more than everything right.
            problems.Add(new($"metrics.{MetricNames.Accuracy}", $"{accuracy}", "0 to 1"));
        }

        if (problems.Count > 0)
        {
            return Reply.Problem(Problems.Invalid("The evaluation was not stored.", problems));
        }

        var open = (await store.FindAsync(StoreNames.EvaluationOpen(run, round), StoreJson.Default.EvaluationOpenDocument, cancellationToken))?.Value;
        if (open is null)
        {
            return Reply.Problem(Problems.NotFound($"Nobody is asked to evaluate round {round} of '{run}'."));
        }

        if (!open.Clients.Contains(client))
        {
            return Reply.Problem(Problems.NotYours($"'{client}' is not asked to evaluate round {round} of '{run}'."));
        }

        if (evaluation.ArtifactDigest != open.Artifact.Digest)
        {
            return Reply.Problem(Problems.Conflict(
                "/problems/stale-base", "Evaluated another version", $"Version {open.Version} is to be evaluated; the evaluation names another."));
        }

        var document = new EvaluationDocument(evaluation, Convert.ToBase64String(call.Body), call.Device.Proof, call.Device.Key.Thumbprint);
        var reply = await Commitment.WriteAsync(
            store, StoreNames.Evaluation(run, round, client), document, StoreJson.Default.EvaluationDocument,
            before => IsSame(before.Evaluation, evaluation), StoreNames.EvaluationClosing(run, round),
            token => IsSealedAsync(run, round, client, token), cancellationToken);
        if (await board.NoteEvaluationAsync(call.Device.Population, run, round, client, open.Clients.Count, cancellationToken))
        {
            await Receipts.WakeAsync(store, call, run, instance => EvaluationWorkflow.InstanceId(instance, round), cancellationToken);
        }

        return reply;
    }

    private static bool IsSame(Evaluation left, Evaluation right) =>
        left with { Metrics = right.Metrics } == right && Commitment.SameMetrics(left.Metrics, right.Metrics);

    private async Task<bool?> IsSealedAsync(string run, int round, string client, CancellationToken cancellationToken)
    {
        var seal = await store.FindAsync(StoreNames.EvaluationSeal(run, round), StoreJson.Default.EvaluationSealDocument, cancellationToken);
        return seal?.Value.Clients.Contains(client);
    }
}
