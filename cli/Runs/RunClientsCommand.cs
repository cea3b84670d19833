using System.CommandLine;
using System.Globalization;
using FedServerless.Cli.Server;
using FedServerless.Wire;
using Format = FedServerless.Cli.Output.Columns;

namespace FedServerless.Cli.Runs;

/// <summary>
/// <c>fed run clients</c>: what each client of a round claims, with its accuracy before and after training where the run measures it, and what
/// was chosen for it where the run adapts.
/// </summary>
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

            return answer.Write(new Listing<RoundClientView>(clients), WireJson.Default.ListingRoundClientView, listing => Write(answer, number, listing.Items));
        });
    }

    private static void Write(Answer answer, int round, IReadOnlyList<RoundClientView> clients)
    {
        var metrics = Columns.Where(column => clients.Any(client => client.Metrics.ContainsKey(column.Metric))).ToArray();
        var adapts = clients.Any(client => client.Choice is not null);
        answer.WriteTable(
            $"No update of round {round} is sealed yet.",
            [
                "client", "samples", "codec", "sent", .. adapts ? ["epochs", "batch", "rests", "uplink", "s/sample", "memory"] : Array.Empty<string>(),
                .. metrics.Select(column => column.Title), "not in the model because",
            ],
            clients.Select(client => (IReadOnlyList<string?>)
            [
                client.Client, $"{client.Samples}", client.Codec, client.Bytes is { } bytes ? Format.Bytes(bytes) : null, .. adapts ? Adapted(client) : [],
                .. metrics.Select(column => Show(client, column.Metric)), client.Reason ?? "",
            ]));
    }

    /// <summary>What was chosen for a client, then what it had measured; a dash for what is not known.</summary>
    private static IEnumerable<string?> Adapted(RoundClientView client)
    {
        var (choice, measured) = (client.Choice, client.Measured);
        return
        [
            choice is null ? null : $"{choice.Epochs}",
            choice is null ? null : choice.BatchSize == 0 ? "all" : $"{choice.BatchSize}",
            choice is null ? null : string.Create(CultureInfo.InvariantCulture, $"{choice.RestSeconds:0} s"),
            measured?.UpBytesPerSecond is { } rate ? $"{Format.Bytes(rate)}/s" : null,
            measured?.SecondsPerSample?.ToString("0.0e0", CultureInfo.InvariantCulture),
            measured?.MemoryBytes is { } memory ? Format.Bytes(memory) : null,
        ];
    }

    private static string Show(RoundClientView client, string metric) =>
        client.Metrics.TryGetValue(metric, out var value) ? value.ToString("0.0000", CultureInfo.InvariantCulture) : "";
}
