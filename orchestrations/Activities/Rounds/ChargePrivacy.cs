using FedServerless.Activities.Privacy;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Activities.Rounds;

/// <summary>Step 9: a private round's reservation becomes a charge. Nothing of it has been noised before; whatever happens after, it stays charged.</summary>
internal sealed class ChargePrivacy(RoundReader rounds, PrivacyLedger ledger) : IActivity<RoundInput, long>
{
    public async Task<long> RunAsync(RoundInput input, CancellationToken cancellationToken)
    {
        var plan = (await rounds.PlanAsync(input.Run, input.Round, cancellationToken)).Value;
        return await ledger.ChargeAsync(plan.Population, input.Run, input.Round, cancellationToken);
    }
}
