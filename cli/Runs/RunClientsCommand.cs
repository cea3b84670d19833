using System.CommandLine;
using System.Globalization;
using FedServerless.Cli.Server;
using FedServerless.Wire;

namespace FedServerless.Cli.Runs;

/// <summary><c>fed run clients</c>: what each client of a round claims, with its accuracy before and after training where the run measures it.</summary>
internal static class RunClientsCommand
{
    private static readonly (string Title, string Metric)[] Columns =
    [
        ("before", "before-accuracy"), ("after", "after-accuracy"), ("of the version", "eval.accuracy"), ("loss before", "before-loss"), ("loss after", "after-loss"),
    ];

    public static Command Create(Shell shell)
    {
        var run = RunCommands.RunArgument();
        var round = new Option<int?>("--round") { Description = "The round; the run's current one if left out.", HelpName = "N" };
        return new ServerOptions(shell).Command("clients", "Show what each client of a sealed round claims.", [run, round], async (parsed, server, answer, token) =>
        {
            var name = parsed.GetRequiredValue(run);
            var number = parsed.GetValue(round) ?? (await server.GetRunAsync(name, token)).Round;
            var clients = new List<RoundClientView>();
            for (var page = await server.ListRoundClientsAsync(name, number, "", token); page.Items.Count > 0; page = await server.ListRoundClientsAsync(name, number, clients[^1].Client, token))
            {
                clients.AddRange(page.Items);
            }

            return answer.Write(new Listing<RoundClientView>(clients), WireJson.Default.ListingRoundClientView, listing => answer.WriteTable(
                $"No update of round {number} is sealed yet.",
                ["client", "samples", .. Columns.Select(column => column.Title), "not in the model because"],
                listing.Items.Select(client => (IReadOnlyList<string?>)[client.Client, $"{client.Samples}", .. Columns.Select(column => Show(client, column.Metric)), client.Reason ?? ""])));
        });
    }

    private static string Show(RoundClientView client, string metric) =>
        client.Metrics.TryGetValue(metric, out var value) ? value.ToString("0.0000", CultureInfo.InvariantCulture) : "";
}
