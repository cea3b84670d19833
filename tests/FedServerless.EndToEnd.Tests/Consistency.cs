using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Federation.Hosted;

namespace FedServerless.EndToEnd.Tests;

/// <summary>What holds after any run, whatever happened to it.</summary>
internal static class Consistency
{
    /// <summary>
    /// Every acknowledged receipt is in its seal, nobody is in a seal twice, the accepted are among the sealed, and every version
    /// is what plan, accepted set and update bytes make of its parent.
    /// </summary>
    public static Task CheckAsync(HostedFederation federation, string run, int rounds, bool recompute = true) =>
        CheckAsync(federation.Disk, federation.Clients, run, rounds, recompute);

    /// <summary>The same on any store.</summary>
    public static async Task CheckAsync(IObjectStore disk, IReadOnlyList<HostedClient> clients, string run, int rounds, bool recompute)
    {
        for (var round = 1; round <= rounds; round++)
        {
            var seal = (await disk.GetAsync(StoreNames.Seal(run, round), StoreJson.Default.SealDocument, CancellationToken.None)).Value;
            Assert.Equal(seal.Receipts.Distinct(StringComparer.Ordinal), seal.Receipts);
            var acknowledged = clients.Where(client => client.Acknowledged.Contains((run, round))).Select(client => client.Id);
            Assert.Empty(acknowledged.Except(seal.Receipts));
            if (!seal.Aggregate)
            {
                continue;
            }

            var accepted = (await disk.GetAsync(StoreNames.Accepted(run, round), StoreJson.Default.AcceptedDocument, CancellationToken.None)).Value;
            Assert.Equal(seal.Receipts.Order(StringComparer.Ordinal), accepted.Accepted.Select(update => update.Client).Concat(accepted.Refused.Select(refusal => refusal.Client)).Order(StringComparer.Ordinal));
            if (recompute)
            {
                var expected = await Recomputation.OfRoundAsync(disk, new SimulatedClients(disk, 0), run, round);
                var plan = (await disk.GetAsync(StoreNames.Plan(run, round), StoreJson.Default.RoundPlan, CancellationToken.None)).Value;
                Assert.Equal(expected.Values, (await Published.ReadAsync(disk, plan.Model, $"{run}-r{round}")).Values);
            }
        }
    }
}
