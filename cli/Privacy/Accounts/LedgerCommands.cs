using System.CommandLine;
using System.Globalization;
using FedServerless.Cli.Server;
using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Cli.Privacy.Accounts;

/// <summary><c>fed privacy ledger</c> and <c>fed privacy note</c>: what is written, and one more line of it.</summary>
internal static class LedgerCommands
{
    public static Command CreateShow(Shell shell)
    {
        var population = BudgetCommands.Population();
        var after = new Option<long>("--after") { Description = "Only entries after this number.", HelpName = "N", DefaultValueFactory = _ => 0 };
        after.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && long.TryParse(result.Tokens[0].Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number)
                && number is < 0 or > LedgerEntry.LargestNumber)
            {
                result.AddError($"--after is {number}; expected 0 to {LedgerEntry.LargestNumber}.");
            }
        });
        return new ServerOptions(shell).Command("ledger", "List a population's ledger, at most 1000 entries.", [population, after], async (parsed, server, answer, token) =>
            answer.Write(
                await server.GetLedgerAsync(parsed.GetRequiredValue(population), parsed.GetValue(after), token),
                WireJson.Default.LedgerPage,
                page =>
                {
                    answer.WriteTable(
                        "No entry after that.", ["entry", "time", "what", "run", "round", "by", "words"],
                        page.Entries.Select(entry => (IReadOnlyList<string?>)
                        [
                            entry.Number.ToString(CultureInfo.InvariantCulture), entry.Time.ToString("u", CultureInfo.InvariantCulture), entry.Kind, entry.Run,
                            entry.Round?.ToString(CultureInfo.InvariantCulture), entry.Operator, entry.Reason,
                        ]));
                    shell.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{page.Head} entries; the last is {page.HeadDigest}."));
                }));
    }

    public static Command CreateNote(Shell shell)
    {
        var population = BudgetCommands.Population();
        var reason = new Option<string?>("--reason") { Description = $"What happened, such as an erasure request: at most {LedgerEntry.MaxReason} characters.", HelpName = "TEXT", Required = true }.NotBlank();
        var run = new Option<string?>("--run") { Description = "The run it is about.", HelpName = "RUN" }.NotBlank();
        return new ServerOptions(shell).Command("note", "Write a note into a population's ledger; it stands in every report.", [population, reason, run], async (parsed, server, answer, token) =>
            answer.Write(
                await server.NoteInLedgerAsync(parsed.GetRequiredValue(population), new LedgerNoteRequest(parsed.GetRequiredValue(reason)!, parsed.GetValue(run)), token),
                WireJson.Default.LedgerNoteView,
                note => shell.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Noted as entry {note.Number}."))));
    }
}
