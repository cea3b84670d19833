using System.Globalization;
using FedServerless.Activities.Privacy;
using FedServerless.Activities.State;
using FedServerless.Gateway.Http;
using FedServerless.Gateway.Runs;
using FedServerless.Privacy;
using FedServerless.Storage;
using FedServerless.Wire;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Privacy;

/// <summary>Budgets, ledgers and reports, for whoever answers for the privacy of a population.</summary>
public sealed class PrivacyDesk(IObjectStore store, PrivacyLedger ledger, UnaccountedRuns unaccounted, LedgerAudit audit)
{
    /// <summary>Most entries of one page of a ledger; <c>after</c> continues.</summary>
    public const int MaxPage = 1000;

    internal async Task<Reply> SetBudgetAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var population = call.Name("population");
        if (!SetBudgetRequest.TryParse(call.Body, out var request, out var problems))
        {
            return Reply.Problem(Problems.Invalid("No budget was set.", problems));
        }

        var state = await ledger.ReadAsync(population, cancellationToken);
        if (await ProblemAsync(state, request, cancellationToken) is { } problem)
        {
            return Reply.Problem(problem);
        }

        var runs = state.Budget is null ? await unaccounted.FindAsync(population, cancellationToken) : UnaccountedRuns.None;
        if (RefusalFor(runs, request, population) is { } refusal)
        {
            return Reply.Problem(refusal);
        }

        var answer = await ledger.SetBudgetAsync(population, SettingOf(request, runs.Ended), NameOf(call), cancellationToken);
        if (answer.Refusal is { } reason)
        {
            return Reply.Problem(Problems.Invalid("No budget was set.", [new Problem("$", null, reason)]));
        }

        if (state.Budget is null)
        {
            await unaccounted.NoteLateAsync(population, runs, NameOf(call), cancellationToken);
        }

        call.Detail = string.Create(CultureInfo.InvariantCulture, $"epsilon {answer.Budget!.Epsilon} at delta {answer.Budget.Delta}");
        return await ShowBudgetAsync(population, cancellationToken);
    }

    internal Task<Reply> GetBudgetAsync(RouteCall call, CancellationToken cancellationToken) => ShowBudgetAsync(call.Name("population"), cancellationToken);

    internal async Task<Reply> GetPopulationAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var state = await GuardedAsync(call.Name("population"), cancellationToken);
        return Report(PrivacyReports.OfPopulation(state, Options(call)));
    }

    internal async Task<Reply> GetRunAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var name = call.Name("run");
        var run = (await store.FindAsync(StoreNames.Run(name), StoreJson.Default.RunDocument, cancellationToken))?.Value ?? throw RunViews.Absent(name);
        if (run.Spec.Privacy is null)
        {
            throw new ProblemException(Problems.NotFound($"Run '{name}' is not private: nothing of it is accounted for."));
        }

        var state = await GuardedAsync(run.Spec.Population, cancellationToken);
        await audit.CheckAsync(run, cancellationToken);
        return Report(PrivacyReports.OfRun(state, name, (run.Privacy ?? PrivacyTerms.Of(run.Spec)).Release(UpdateGrid.BitsFor(1)), run.Spec.Rounds, Options(call)));
    }

    /// <summary>What a run would cost: the body of <c>POST runs</c>, and nothing is looked up or stored.</summary>
    internal static Task<Reply> PlanAsync(RouteCall call, CancellationToken cancellationToken)
    {
        if (!RunSpecJson.TryParseRequest(call.Body, out var request, out var problems))
        {
            return Task.FromResult(Reply.Problem(Problems.InvalidSpec(problems)));
        }

        if (request.Spec.Privacy is null)
        {
            return Task.FromResult(Reply.Problem(Problems.InvalidSpec([new Problem("spec.privacy", null, "what is to be priced")])));
        }

        var terms = PrivacyTerms.Of(request.Spec);
        return Task.FromResult(Report(PrivacyReports.OfPlan(terms.Release(UpdateGrid.BitsFor(1)), request.Spec.Rounds, terms.Clients, terms.Delta, Options(call))));
    }

    internal async Task<Reply> GetLedgerAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var text = call.Query("after") ?? "0";
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var after) || after > LedgerEntry.LargestNumber)
        {
            return Reply.Problem(Problems.Invalid(
                "The ledger cannot be read from there.", [new Problem("after", RouteCall.Shorten(text), "the number of an entry, or 0")]));
        }

        var population = call.Name("population");
        var state = await GuardedAsync(population, cancellationToken);
        var entries = await ledger.EntriesAsync(population, after, Math.Min(state.Head, after + MaxPage), cancellationToken);
        return Reply.Json(StatusCodes.Status200OK, new LedgerPage(population, entries, state.Head, state.HeadDigest), WireJson.Default.LedgerPage);
    }

    internal async Task<Reply> NoteAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var (population, request) = (call.Name("population"), call.Read(WireJson.Default.LedgerNoteRequest));
        var problems = new List<Problem>();
        if (string.IsNullOrWhiteSpace(request.Reason) || request.Reason.Length > LedgerEntry.MaxReason)
        {
            problems.Add(new("reason", RouteCall.Shorten(request.Reason), $"1 to {LedgerEntry.MaxReason} characters"));
        }

        if (request.Run is not null && !Identifiers.IsValid(request.Run))
        {
            problems.Add(new("run", RouteCall.Shorten(request.Run), Identifiers.Rule));
        }

        if (problems.Count > 0)
        {
            return Reply.Problem(Problems.Invalid("Nothing was noted.", problems));
        }

        var number = await ledger.NoteAsync(population, request.Reason, request.Run, NameOf(call), cancellationToken)
            ?? throw NotGuarded(population);
        return Reply.Json(StatusCodes.Status200OK, new LedgerNoteView(number), WireJson.Default.LedgerNoteView);
    }

    private async Task<Reply> ShowBudgetAsync(string population, CancellationToken cancellationToken)
    {
        var state = await GuardedAsync(population, cancellationToken);
        var standing = PrivacyReports.StandingOf(state);
        var members = await store.CountAsync(StoreNames.Members(population), cancellationToken);
        var view = new BudgetView(population, standing, state.Head, [.. Warnings(standing, members), .. PrivacyLeaks.Of(state).Select(leak => leak.What)]);
        return Reply.Json(StatusCodes.Status200OK, view, WireJson.Default.BudgetView);
    }

    // N is what was declared or what is enrolled, whichever is more: a small N makes a large δ look sound.
    private async Task<ProblemDetails?> ProblemAsync(LedgerState state, SetBudgetRequest request, CancellationToken cancellationToken)
    {
        var members = await store.CountAsync(StoreNames.Members(state.Population), cancellationToken);
        var clients = Math.Max(request.Clients, members);
        var delta = request.DeltaOrDefault();
        if (DeltaRule.Judge(delta, clients) == DeltaVerdict.Meaningless)
        {
            return Problems.Invalid("No budget was set.", [new Problem("delta", Text(delta), $"below 1/N = {Text(1.0 / clients)}: {members} clients are enrolled")]);
        }

        return state.Budget is { } now && BudgetChange.Raises(now, SettingOf(request, []).WithOrder(now.Order)) && string.IsNullOrWhiteSpace(request.Reason)
            ? Problems.Invalid("No budget was set.", [new Problem("reason", null, $"why the budget is raised from epsilon {Text(now.Epsilon)} at delta {Text(now.Delta)}: it stands in every report")])
            : null;
    }

    private static ProblemDetails? RefusalFor(UnaccountedRuns.Found runs, SetBudgetRequest request, string population)
    {
        if (runs.Active.Count > 0)
        {
            return Problems.WrongState($"Runs without privacy are active in population '{population}': {string.Join(", ", runs.Active)}. Stop them first.");
        }

        return runs.Ended.Count > 0 && !request.AcknowledgeUnaccounted
            ? Problems.Conflict(
                "/problems/unaccounted-runs", "Runs trained here without privacy",
                $"{string.Join(", ", runs.Ended)}: no budget can take back what they released. Set acknowledgeUnaccounted to set a budget for what comes; they will stand in every report.")
            : null;
    }

    private static BudgetSetting SettingOf(SetBudgetRequest request, IReadOnlyList<string> ended) => new(request.Epsilon, request.DeltaOrDefault(), request.Clients)
    {
        Adversary = Enum.Parse<PrivacyAdversary>(request.Adversary, ignoreCase: true),
        Adaptivity = Enum.Parse<FilterAdaptivity>(request.Adaptivity, ignoreCase: true),
        Order = request.Order,
        Planned = request.Planned is { } planned ? new NoisyRelease(ClientSampling.Poisson, planned.SamplingRate, planned.NoiseMultiplier) : null,
        Reason = string.IsNullOrWhiteSpace(request.Reason) ? null : request.Reason,
        Unaccounted = ended,
    };

    private static IEnumerable<string> Warnings(BudgetStanding standing, int members)
    {
        var clients = Math.Max(standing.Budget.Clients, members);
        if (DeltaRule.Judge(standing.Budget.Delta, clients) is var verdict and not DeltaVerdict.Sound)
        {
            yield return $"Delta {Text(standing.Budget.Delta)} is {(verdict == DeltaVerdict.Large ? "above 1/(10N)" : "1/N or more")} for the {clients} clients declared or enrolled.";
        }

        if (standing.SpentRatio > 1)
        {
            yield return $"More is spent than the budget allows since it was lowered: nothing is admitted.";
        }
    }

    private async Task<LedgerState> GuardedAsync(string population, CancellationToken cancellationToken)
    {
        var state = await ledger.ReadAsync(population, cancellationToken);
        return state.Budget is null ? throw NotGuarded(population) : state;
    }

    private static ProblemException NotGuarded(string population) => new(Problems.NotFound($"Population '{population}' has no privacy budget."));

    private static Reply Report(PrivacyReport report) => Reply.Json(StatusCodes.Status200OK, report, WireJson.Default.PrivacyReport);

    private static ReportOptions Options(RouteCall call) => new(Classic: call.Query("classic") is "true", Tight: call.Query("tight") is not "false");

    private static string NameOf(RouteCall call) => call.Operator.Name;

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);
}
