using System.Text;
using FedServerless.Activities.Privacy;
using FedServerless.LocalHost.Tests.Gateway;
using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.LocalHost.Tests.Privacy;

/// <summary>What the tests of budgets, ledgers and reports over HTTP have in common.</summary>
internal static class PrivacyBench
{
    public const string Population = "populations/default";

    /// <summary>A private run of three rounds: a tenth of a thousand clients, noise twice the clip.</summary>
    public static RunSpec Private => RoundScene.Spec with
    {
        Round = new RoundSpec { DeadlineSeconds = 600 },
        Selection = new SelectionSpec { Kind = Selections.Poisson, Rate = 0.1, QuarantineAfter = 0 },
        Aggregation = new AggregationSpec { Weighting = Weightings.Uniform },
        Privacy = new PrivacySpec { Clients = 1000, NoiseMultiplier = 2 },
    };

    public static RunSpec Plain => RoundScene.Spec;

    public static Task<Answer> SetBudgetAsync(this GatewayBench bench, string json) =>
        bench.OperateAsync("setBudget", $"{Population}/budget", Encoding.UTF8.GetBytes(json));

    public static async Task<BudgetView> BudgetAsync(this GatewayBench bench, double epsilon = 3)
    {
        var answer = await bench.SetBudgetAsync($$"""{"epsilon":{{epsilon}},"clients":1000,"delta":1e-5,"reason":"a test"}""");
        Assert.Equal(200, answer.Status);
        return answer.Read(WireJson.Default.BudgetView);
    }

    public static Task<Answer> CreateAsync(this GatewayBench bench, RunSpec spec, string id = "r", bool dryRun = false) =>
        bench.OperateAsync("createRun", "runs", new CreateRunRequest(id, spec, dryRun), WireJson.Default.CreateRunRequest);

    public static async Task ReserveAsync(this GatewayBench bench, string run, int rounds, bool charge = false)
    {
        var ledger = bench.Get<PrivacyLedger>();
        for (var round = 1; round <= rounds; round++)
        {
            var answer = await ledger.ReserveAsync("default", run, round, PrivacyTerms.Of(Private).Release(UpdateGrid.BitsFor(1)), CancellationToken.None);
            Assert.True(answer.Admitted);
            if (charge)
            {
                await ledger.ChargeAsync("default", run, round, CancellationToken.None);
            }
        }
    }
}
