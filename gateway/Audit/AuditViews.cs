using System.Globalization;
using FedServerless.Activities.State;
using FedServerless.Gateway.Http;
using FedServerless.Storage;
using FedServerless.Wire;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Audit;

/// <summary><c>GET audit?day=…&amp;after=…</c>: a day's audit records in pages.</summary>
public sealed class AuditViews(IObjectStore store, TimeProvider time)
{
    /// <summary>Most records of a page.</summary>
    public const int MaxPage = 500;

    private const string Extension = ".json";

    internal async Task<Reply> GetAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var problems = new List<Problem>();
        var day = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        if (call.Query("day") is { } text && !DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out day))
        {
            problems.Add(new("day", RouteCall.Shorten(text), "a day of UTC as yyyy-MM-dd"));
        }

        var after = call.Query("after") ?? "";
        if (after.Length > 64 || !after.All(character => char.IsAsciiHexDigitLower(character) || character == '-'))
        {
            problems.Add(new("after", RouteCall.Shorten(after), "what the page before gave as next"));
        }

        if (problems.Count > 0)
        {
            return Reply.Problem(Problems.Invalid("The audit log cannot be read so.", problems));
        }

        var (names, isMore) = await NamesAsync(StoreNames.AuditDay(day), after, cancellationToken);
        var records = new List<AuditRecord>(names.Count);
        foreach (var name in names)
        {
            if (await store.FindAsync(name, WireJson.Default.AuditRecord, cancellationToken) is { } record)
            {
                records.Add(record.Value);
            }
        }

        var next = isMore ? names[^1][StoreNames.AuditDay(day).Length..^Extension.Length] : null;
        return Reply.Json(StatusCodes.Status200OK, new AuditPage(records, next), WireJson.Default.AuditPage);
    }

    private async Task<(List<string> Names, bool IsMore)> NamesAsync(string prefix, string after, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        await foreach (var facts in store.ListAsync(prefix, cancellationToken))
        {
            if (after.Length > 0 && string.CompareOrdinal(facts.Name, $"{prefix}{after}{Extension}") <= 0)
            {
                continue;
            }

            if (names.Count == MaxPage)
            {
                return (names, true);
            }

            names.Add(facts.Name);
        }

        return (names, false);
    }
}
