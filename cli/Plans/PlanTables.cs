using System.Globalization;
using System.Text;
using FedServerless.Capacity;
using FedServerless.Cli.Output;
using FedServerless.Cli.Runs;
using FedServerless.Compression;

namespace FedServerless.Cli.Plans;

/// <summary>The tables of docs/concepts/scale.md; a test compares the page with them.</summary>
internal static class PlanTables
{
    private static readonly int[] Clients = [100, 10_000, 100_000, 1_000_000];

    private static readonly int[] Parameters = [100_000, 1_000_000, 10_000_000, 100_000_000];

    public static string Markdown()
    {
        var page = new StringBuilder();
        Append(page, "A thousand clients in each round (all of a hundred), `float32`, an hour.", (clients, parameters) => new DeploymentQuestion
        {
            Clients = clients, Parameters = parameters, Cohort = Math.Min(1000, clients),
        });
        Append(page, "Everybody in each round, `int8`, a day.", (clients, parameters) => new DeploymentQuestion
        {
            Clients = clients, Parameters = parameters, Codec = UpdateCodecs.Int8, RoundHours = 24,
        });
        return page.ToString();
    }

    private static void Append(StringBuilder page, string title, Func<int, int, DeploymentQuestion> ask)
    {
        page.Append(title).Append("\n\n")
            .Append("| clients | parameters | reduction | replicas | requests | to devices | from seal to version | cost of a round, USD | tightest limit |\n")
            .Append("|---|---|---|---|---|---|---|---|---|\n");
        foreach (var clients in Clients)
        {
            foreach (var parameters in Parameters)
            {
                page.Append(Row(clients, parameters, DeploymentPlanner.Plan(ask(clients, parameters))));
            }
        }

        page.Append('\n');
    }

    private static string Row(int clients, int parameters, DeploymentPlan plan)
    {
        var reduction = plan.Round.Folds == 0 ? $"{plan.Round.Size.Shards}" : $"{plan.Round.Folds} + {plan.Round.Size.Shards}";
        var binding = plan.Binding;
        var share = (100 * binding.Share).ToString(binding.Share < 10 ? "0" : "0,0", CultureInfo.InvariantCulture);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {Power(clients)} | {Power(parameters)} | {reduction} | {plan.Replicas} | {plan.Usage.Requests:0.0e0} | {Columns.Bytes(plan.Usage.EgressBytes)} | {Time(plan.AggregationSeconds)} | {CostText.Amount(plan.Cost)} | {(binding.IsBroken ? "**broken**, " : "")}{share} %: {binding.Limit} |\n");
    }

    private static string Power(int value) => value switch
    {
        100 => "10²",
        10_000 => "10⁴",
        100_000 => "10⁵",
        1_000_000 => "10⁶",
        10_000_000 => "10⁷",
        _ => "10⁸",
    };

    private static string Time(double seconds) => seconds switch
    {
        < 120 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s"),
        < 7200 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0.0} h"),
    };
}
