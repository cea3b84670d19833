using System.Collections.Immutable;
using System.Globalization;
using FedServerless.Activities.Metering;
using FedServerless.Activities.State;
using FedServerless.Gateway.Http;
using FedServerless.Storage;
using FedServerless.Wire;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Runs;

/// <summary>Rounds as operators see them.</summary>
public sealed class RoundViews(IObjectStore store, UsageBook usage)
{
    /// <summary>Most rounds of one listing; <c>after</c> continues.</summary>
    public const int MaxPage = 1000;

    internal async Task<Reply> ListAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var run = call.Name("run");
        await RequireRunAsync(run, cancellationToken);
        var text = call.Query("after") ?? "0";
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var after) || after > RouteCall.MaxRound)
        {
            return Reply.Problem(Problems.Invalid(
                "The rounds cannot be listed from there.", [new Problem("after", RouteCall.Shorten(text), "the number of a round, or 0")]));
        }

        var views = new List<RoundView>();
        for (var round = after + 1; views.Count < MaxPage; round++)
        {
            if (await FindAsync(run, round, cancellationToken) is not { } view)
            {
                break;
            }

            views.Add(view);
        }

        return Reply.Json(StatusCodes.Status200OK, new Listing<RoundView>(views), WireJson.Default.ListingRoundView);
    }

    internal async Task<Reply> GetAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var (run, round) = (call.Name("run"), call.Round());
        await RequireRunAsync(run, cancellationToken);
        var view = await FindAsync(run, round, cancellationToken)
            ?? throw new ProblemException(Problems.NotFound($"Run '{run}' has no round {round}."));
        return Reply.Json(StatusCodes.Status200OK, view, WireJson.Default.RoundView);
    }

    private async Task RequireRunAsync(string run, CancellationToken cancellationToken)
    {
        if (await store.HeadAsync(StoreNames.Run(run), cancellationToken) is null)
        {
            throw RunViews.Absent(run);
        }
    }

    private async Task<RoundView?> FindAsync(string run, int round, CancellationToken cancellationToken)
    {
        var outcome = (await store.FindAsync(StoreNames.RoundOutcome(run, round), StoreJson.Default.RoundOutcomeDocument, cancellationToken))?.Value;
        if (outcome is null)
        {
            return await FindOpenAsync(run, round, cancellationToken);
        }

        var refused = outcome.Accepted < outcome.Receipts ? await RefusedAsync(run, round, cancellationToken) : [];
        var metrics = outcome.Metrics;
        if (outcome.Published
            && await store.FindAsync(StoreNames.EvaluationSeal(run, round), StoreJson.Default.EvaluationSealDocument, cancellationToken) is { } seal)
        {
            metrics = seal.Value.Metrics
                .ToImmutableSortedDictionary(metric => $"eval.{metric.Key}", metric => metric.Value, StringComparer.Ordinal)
                .AddRange(metrics);
        }

        return new RoundView(
            run, round, outcome.Published ? "published" : "abandoned", outcome.Reason, outcome.Cohort, outcome.Receipts, outcome.Accepted,
            refused, outcome.Version, metrics, outcome.Account is { } account ? usage.Price(account.Round) : null);
    }

    private async Task<RoundView?> FindOpenAsync(string run, int round, CancellationToken cancellationToken)
    {
        var plan = (await store.FindAsync(StoreNames.Plan(run, round), StoreJson.Default.RoundPlan, cancellationToken))?.Value;
        if (plan is null)
        {
            return null;
        }

        var seal = (await store.FindAsync(StoreNames.Seal(run, round), StoreJson.Default.SealDocument, cancellationToken))?.Value;
        if (seal is not null)
        {
            var accepted = (await store.FindAsync(StoreNames.Accepted(run, round), StoreJson.Default.AcceptedDocument, cancellationToken))?.Value;
            return Show("sealed", seal.Receipts.Count, accepted?.Accepted.Count ?? 0, seal.Aggregate ? null : seal.Reason, accepted?.Refused ?? []);
        }

        var isOpen = await store.HeadAsync(StoreNames.Open(run, round), cancellationToken) is not null;
        var receipts = isOpen ? await store.CountAsync(StoreNames.Receipts(run, round), cancellationToken) : 0;
        return Show(isOpen ? "open" : "planned", receipts, 0, null, []);

        RoundView Show(string state, int received, int accepted, string? reason, IReadOnlyList<Refusal> refused) => new(
            run, round, state, reason, plan.Cohort.Count, received, accepted, refused, null, ImmutableDictionary<string, double>.Empty);
    }

    private async Task<IReadOnlyList<Refusal>> RefusedAsync(string run, int round, CancellationToken cancellationToken) =>
        (await store.FindAsync(StoreNames.Accepted(run, round), StoreJson.Default.AcceptedDocument, cancellationToken))?.Value.Refused ?? [];
}
