using System.CommandLine;
using System.Globalization;
using FedServerless.Cli.Output;
using FedServerless.Cli.Server;
using FedServerless.Privacy;

namespace FedServerless.Cli.Privacy.Accounts;

/// <summary><c>fed privacy report</c>: what it cost, against both adversaries, and what no number covers.</summary>
internal static class PrivacyReportCommand
{
    private const string Summary = """
        What a run or everything on a population cost, against both adversaries, what is left, and what no number covers.

        fed privacy report digits-1
        fed privacy report --population plant --json
        """;

    public static Command Create(Shell shell)
    {
        var run = new Argument<string?>("run") { Description = "The run.", Arity = ArgumentArity.ZeroOrOne };
        var population = new Option<string?>("--population") { Description = "Everything on this population, instead of a run.", HelpName = "NAME" }.NotBlank();
        var classic = new Option<bool>("--classic") { Description = "Also by the classic conversion, for comparison with other tools." };
        return new ServerOptions(shell).Command("report", Summary, [run, population, classic], async (parsed, server, answer, token) =>
        {
            var account = (parsed.GetValue(run), parsed.GetValue(population)) switch
            {
                ({ } name, null) => await OfRunAsync(server, name, parsed.GetValue(classic), token),
                (null, { } name) => await OfPopulationAsync(server, name, parsed.GetValue(classic), token),
                _ => throw new CommandException("A report is of a run or of a population: fed privacy report RUN, or fed privacy report --population NAME.", ExitCodes.Usage),
            };
            return answer.Write(account, PrivacyAccountJson.Default.PrivacyAccount, found => Write(shell, answer, found));
        });
    }

    /// <summary>The two ε of a report on two lines, for whoever shows them at the end of something else.</summary>
    public static void WritePrices(Shell shell, PrivacyReport report)
    {
        foreach (var price in report.Prices)
        {
            var whom = price.Adversary == PrivacyAdversary.ModelHolder ? "holders of released models" : "observers of cohorts";
            shell.Output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"epsilon {price.TightUpper ?? price.Epsilon:F3} at delta {report.Delta:0.###e0} against {whom}{(price.Amplified ? ", amplified by sampling" : "")}"));
        }
    }

    private static async Task<PrivacyAccount> OfRunAsync(OperatorClient server, string run, bool classic, CancellationToken cancellationToken)
    {
        var report = await server.GetRunPrivacyAsync(run, classic, cancellationToken);
        return await WithLedgerAsync(server, report, (await server.GetRunAsync(run, cancellationToken)).Spec.Population, cancellationToken);
    }

    private static async Task<PrivacyAccount> OfPopulationAsync(OperatorClient server, string population, bool classic, CancellationToken cancellationToken) =>
        await WithLedgerAsync(server, await server.GetPopulationPrivacyAsync(population, classic, cancellationToken), population, cancellationToken);

    private static async Task<PrivacyAccount> WithLedgerAsync(OperatorClient server, PrivacyReport report, string population, CancellationToken cancellationToken)
    {
        // Past its end: the server reads and checks the whole chain, and sends none of it.
        var ledger = await server.GetLedgerAsync(population, LedgerEntry.LargestNumber, cancellationToken);
        return new PrivacyAccount(report, population, ledger.Head, ledger.HeadDigest);
    }

    private static void Write(Shell shell, Answer answer, PrivacyAccount account)
    {
        var report = account.Report;
        Line($"Privacy of {report.Subject}: unit {Words(report.Unit)}, adjacency {Words(report.Adjacency)}, {report.Clients} clients, delta {report.Delta:0.###e0}.");
        var isUnfinished = report.Prices.Any(price => price.EpsilonWhenDone is not null);
        var isClassic = report.Prices.Any(price => price.ClassicEpsilon is not null);
        answer.WriteTable(
            "Nothing was released.",
            ["epsilon against", "at most", "at least", "charged by", .. isUnfinished ? ["once done"] : Array.Empty<string>(), .. isClassic ? ["classic"] : Array.Empty<string>(), ""],
            report.Prices.Select(price => (IReadOnlyList<string?>)
            [
                price.Adversary == PrivacyAdversary.ModelHolder ? "holders of released models" : "observers of cohorts",
                Number(price.TightUpper ?? price.Epsilon), Number(price.TightLower), Number(price.Epsilon),
                .. isUnfinished ? [Number(price.TightUpperWhenDone ?? price.EpsilonWhenDone)] : Array.Empty<string>(),
                .. isClassic ? [Number(price.ClassicEpsilon)] : Array.Empty<string>(),
                string.Join(", ", new[] { report.Releases.Count == 0 ? "" : price.Amplified ? "amplified by sampling" : "no amplification", price.AtGridEnd ? "best order at the end of the grid" : "" }.Where(text => text.Length > 0)),
            ]));
        foreach (var release in report.Releases)
        {
            Line($"{release.Charged} charged and {release.Reserved} reserved rounds: {Words(release.Release.Sampling)} sample, q = {release.Release.SamplingRate:0.######}, noise {release.Release.NoiseMultiplier:F4}.");
        }

        if (report.Budget is { } budget)
        {
            BudgetCommands.WriteStanding(shell, account.Population, budget);
        }

        Line($"Ledger of {account.Population}: {account.LedgerEntries} entries, every one checked against the hash in the next; the last is {account.LedgerHead}.");
        foreach (var warning in report.Warnings)
        {
            shell.Output.WriteLine($"Warning: {warning}");
        }

        shell.Output.WriteLine("Not covered:");
        foreach (var leak in report.Leaks)
        {
            shell.Output.WriteLine($"  {leak.Kind}: {leak.What}");
        }

        void Line(FormattableString line) => shell.Output.WriteLine(line.ToString(CultureInfo.InvariantCulture));
    }

    private static string Number(double? value) => Columns.Number(value, 3);

    private static string Words(Enum value) =>
        string.Concat($"{value}".Select((letter, at) => char.IsUpper(letter) ? $"{(at == 0 ? "" : " ")}{char.ToLowerInvariant(letter)}" : $"{letter}"));
}
