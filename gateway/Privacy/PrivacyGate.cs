using FedServerless.Activities.Privacy;
using FedServerless.Activities.State;
using FedServerless.Gateway.Http;
using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Gateway.Privacy;

/// <summary>
/// What a population's budget has to say to a run that is to be made or started. The planner asks again before every round: this is where a person gets the reason.
/// </summary>
public sealed class PrivacyGate(PrivacyLedger ledger)
{
    /// <summary>Why a run may not be made, or null.</summary>
    internal async Task<ProblemDetails?> RefuseNewAsync(string run, RunSpec spec, CancellationToken cancellationToken)
    {
        var population = spec.Population;
        if (spec.Privacy is null)
        {
            return await RefuseUnguardedAsync(run, population, cancellationToken);
        }

        var state = await ledger.ReadAsync(population, cancellationToken);
        if (state.Budget is null)
        {
            return Problems.Conflict(
                "/problems/no-budget", "The population has no budget",
                $"A private run is charged to a budget, and population '{population}' has none; set one with PUT /api/v1/populations/{population}/budget.");
        }

        if (state.NamesRun(run))
        {
            return Problems.Conflict(
                "/problems/run-in-ledger", "An earlier run had this id",
                $"The ledger of population '{population}' charges rounds of a run '{run}' that is gone; choose another id.");
        }

        var terms = PrivacyTerms.Of(spec);
        if (DeltaRule.Judge(terms.Delta, state.Budget.Clients) == DeltaVerdict.Meaningless)
        {
            return Problems.Conflict(
                "/problems/few-clients", "The run counts too few clients",
                FormattableString.Invariant($"Run '{run}' declares {terms.Clients} clients, and the budget of population '{population}' {state.Budget.Clients}: delta {terms.Delta} of the run's own epsilon would be 1/N or more."));
        }

        var first = terms.Release(UpdateGrid.BitsFor(1));
        return await ledger.TryAsync(population, first, 1, cancellationToken) is { Refusal: { } refusal }
            ? Problems.Conflict("/problems/budget-spent", "The budget does not admit the first round", $"Of run '{run}' with noise multiplier {first.NoiseMultiplier:0.####} and sampling rate {first.SamplingRate:0.######}: {refusal}.")
            : null;
    }

    /// <summary>Why a run may not be started, or null. To be asked before and after it is written that it started: see <see cref="UnaccountedRuns.NoteLateAsync"/>.</summary>
    internal async Task<ProblemDetails?> RefuseStartAsync(RunDocument run, CancellationToken cancellationToken) =>
        run.Spec.Privacy is null ? await RefuseUnguardedAsync(run.Id, run.Spec.Population, cancellationToken) : null;

    private async Task<ProblemDetails?> RefuseUnguardedAsync(string run, string population, CancellationToken cancellationToken) =>
        await ledger.IsGuardedAsync(population, cancellationToken)
            ? Problems.Conflict(
                "/problems/private-population", "The population has a privacy budget",
                $"Population '{population}' has a privacy budget, so that run '{run}' needs 'privacy' in its spec: nothing may train on it that the budget does not pay for.")
            : null;
}
