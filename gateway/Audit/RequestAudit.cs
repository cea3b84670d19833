using System.Globalization;
using FedServerless.Gateway.Authentication;
using FedServerless.Gateway.Http;
using FedServerless.Gateway.Limits;
using FedServerless.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FedServerless.Gateway.Audit;

/// <summary>
/// Decides what of a request goes into the audit log: every operator's request that changes something, whatever came of it; every
/// enrolment; and refusals of proofs, keys, codes, roles and limits, gathered, because anybody can cause those at will.
/// </summary>
public sealed partial class RequestAudit(AuditLog log, TimeProvider time, ILogger<RequestAudit> logger)
{
    /// <summary>An operator.</summary>
    public const string Operator = "operator";

    /// <summary>An enrolled device.</summary>
    public const string Device = "device";

    /// <summary>Somebody who proved nothing.</summary>
    public const string Unproven = "unproven";

    private const int MaxSubjectLength = 200;

    private readonly RefusalTally _refusals = new(time);

    /// <summary>
    /// Notes an answered request. A change that cannot be written down is not answered as done: the exception reaches the caller,
    /// who repeats the request.
    /// </summary>
    internal async Task NoteAsync(Route route, HttpContext http, RouteCall? call, SenderAddress sender, Reply reply, CancellationToken cancellationToken)
    {
        if (IsRefusal(reply.ProblemType) || call is { IsRepetition: true })
        {
            await GatherAsync(route, http, call, sender, reply, cancellationToken);
        }
        else if (call is not null && route is { Policy: RoutePolicy.Operator, Method: not "GET" })
        {
            await log.WriteAsync(Describe(route, http, call, sender, reply, 1, null), cancellationToken);
        }
        else if (call is not null && route.Policy == RoutePolicy.DeviceEnrol && reply.ProblemType is null)
        {
            await log.WriteAsync(Describe(route, http, call, sender, reply, 1, call.Detail), cancellationToken);
        }
    }

    private static bool IsRefusal(string? type) => type is "/problems/authentication" or "/problems/revoked" or "/problems/enrolment-code"
        or "/problems/code-used" or "/problems/role" or "/problems/not-yours" or "/problems/too-many-requests";

    private async Task GatherAsync(
        Route route, HttpContext http, RouteCall? call, SenderAddress sender, Reply reply, CancellationToken cancellationToken)
    {
        if (!_refusals.IsDue(sender, out var count, out var others))
        {
            return;
        }

        try
        {
            var detail = others == 0 ? call?.Detail : $"{others} events of other addresses have no record of their own";
            await log.WriteAsync(Describe(route, http, call, sender, reply, count, detail), cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // Nothing changed; whoever knocks must not be able to make the answer another.
            LogNotWritten(route.Name, exception);
        }
    }

    private static AuditRecord Describe(
        Route route, HttpContext http, RouteCall? call, SenderAddress sender, Reply reply, int count, string? detail)
    {
        var (actor, id, name) = call switch
        {
            { Caller: { } caller } => (Operator, caller.Id, caller.Name),
            { Signer: { Client.Length: > 0 } device } => (Device, device.Client, null),
            _ => (Unproven, DeviceProof.TryParse(http.Request.Headers.Authorization, enrols: false, out _)?.Client, (string?)null),
        };
        var path = http.Request.Path.Value ?? "";
        var subject = call?.Subject
            ?? (path.StartsWith(DeviceApi.Prefix + "/", StringComparison.Ordinal) ? path[(DeviceApi.Prefix.Length + 1)..] : path);
        return new AuditRecord(
            default, "", 0, null, actor, id, name, route.Name, Visible(subject),
            reply.Status, reply.ProblemType, sender.Text, count, reply.IsReplayed ? "answered from memory: the key was used before" : detail);
    }

    // Whoever knocks chooses the path: a line break or an escape in it must not forge another record where somebody reads this one.
    private static string Visible(string subject) => string.Concat(
        subject.Take(MaxSubjectLength).Select(character => char.GetUnicodeCategory(character) is UnicodeCategory.Control or UnicodeCategory.Format
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate ? '\uFFFD' : character));

    [LoggerMessage(3131, LogLevel.Error, "A refused or repeated {Route} could not be written to the audit log")]
    private partial void LogNotWritten(string route, Exception exception);
}
