using System.CommandLine;
using System.Globalization;
using FedServerless.Cli.Server;
using FedServerless.Wire;

namespace FedServerless.Cli.Audit;

/// <summary><c>fed audit</c>: who did what on a day.</summary>
internal static class AuditCommand
{
    private const string DayFormat = "yyyy-MM-dd";

    public static Command Create(Shell shell)
    {
        var day = new Option<string?>("--day") { Description = $"The day in UTC as {DayFormat}; today where it is left out.", HelpName = "DAY" };
        day.Validators.Add(result =>
        {
            var text = result.Tokens.Count == 0 ? null : result.Tokens[0].Value;
            if (!DateOnly.TryParseExact(text, DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
            {
                result.AddError($"--day is '{text}'; expected a day as {DayFormat}, such as 2026-11-22.");
            }
        });
        return new ServerOptions(shell).Command("audit", "Show who changed what, who enrolled and who was refused.", [day], async (parsed, server, answer, token) =>
        {
            var records = new List<AuditRecord>();
            string? after = null;
            do
            {
                var page = await server.GetAuditAsync(parsed.GetValue(day), after, token);
                records.AddRange(page.Records);
                after = page.Next;
            }
            while (after is not null);

            return answer.Write(new AuditPage(records, null), WireJson.Default.AuditPage, all => answer.WriteTable(
                "Nothing was done on that day that the audit log keeps.",
                ["time", "who", "did", "to", "outcome", "from", "times"],
                all.Records.Select(record => (IReadOnlyList<string?>)
                [
                    record.Time.ToString("u", CultureInfo.InvariantCulture), Who(record), record.Action, record.Subject,
                    record.Problem is null ? $"{record.Status}" : $"{record.Status} {record.Problem}", record.Address, $"{record.Count}",
                ])));
        });
    }

    private static string Who(AuditRecord record) => $"{record.Actor} {record.Name ?? record.Id}".TrimEnd();
}
