using System.Collections.Immutable;
using FedServerless.Activities.State;
using FedServerless.Gateway.Http;
using FedServerless.Storage;
using FedServerless.Wire;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Runs;

/// <summary>What each client of a sealed round claims: samples, metrics, its evaluation of the version.</summary>
public sealed class RoundClients(IObjectStore store)
{
    /// <summary>Most clients of one listing; <c>after</c> continues. Each costs two reads, three in a round that adapts.</summary>
    public const int MaxPage = 200;

    internal async Task<Reply> ListAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var (run, round, after) = (call.Name("run"), call.Round(), call.Query("after") ?? "");
        var plan = await store.FindAsync(StoreNames.Plan(run, round), StoreJson.Default.RoundPlan, cancellationToken)
            ?? throw new ProblemException(Problems.NotFound($"Run '{run}' has no round {round}."));
        if (plan.Value.Privacy is not null)
        {
            return Reply.Problem(Problems.Conflict(
                "/problems/private-round", "A private round", "A private round says nothing of single clients: no noise covers it."));
        }

        var accepted = await store.FindAsync(StoreNames.Accepted(run, round), StoreJson.Default.AcceptedDocument, cancellationToken);
        var sealedClients = accepted is null
            ? []
            : accepted.Value.Accepted.Select(update => (update.Client, Reason: (string?)null))
                .Concat(accepted.Value.Refused.Select(refusal => (refusal.Client, Reason: (string?)refusal.Reason)))
                .Where(client => string.CompareOrdinal(client.Client, after) > 0)
                .OrderBy(client => client.Client, StringComparer.Ordinal)
                .Take(MaxPage);
        var views = new List<RoundClientView>();
        foreach (var (client, reason) in sealedClients)
        {
            views.Add(await ShowAsync(plan.Value, client, reason, cancellationToken));
        }

        return Reply.Json(StatusCodes.Status200OK, new Listing<RoundClientView>(views), WireJson.Default.ListingRoundClientView);
    }

    private async Task<RoundClientView> ShowAsync(RoundPlan plan, string client, string? reason, CancellationToken cancellationToken)
    {
        var (run, round) = (plan.Run, plan.Round);
        var receipt = (await store.GetAsync(StoreNames.Receipt(run, round, client), StoreJson.Default.ReceiptDocument, cancellationToken)).Value.Receipt;
        var evaluation = await store.FindAsync(StoreNames.Evaluation(run, round, client), StoreJson.Default.EvaluationDocument, cancellationToken);
        var lease = plan.Adaptation is null
            ? null
            : (await store.FindAsync(StoreNames.Lease(run, round, client), StoreJson.Default.LeaseDocument, cancellationToken))?.Value;
        var metrics = receipt.Metrics.ToImmutableSortedDictionary(StringComparer.Ordinal)
            .SetItems((evaluation?.Value.Evaluation.Metrics ?? ImmutableDictionary<string, double>.Empty).Select(metric => KeyValuePair.Create($"eval.{metric.Key}", metric.Value)));
        return new RoundClientView(client, reason is null, reason, receipt.Samples, metrics)
        {
            Codec = plan.Update.Codec,
            Bytes = receipt.Bytes,
            Choice = lease?.Choice,
            Measured = lease?.Measured,
        };
    }
}
