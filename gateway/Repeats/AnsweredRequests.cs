using System.Security.Cryptography;
using System.Text;
using FedServerless.Activities.State;
using FedServerless.Gateway.Http;
using FedServerless.Storage;
using FedServerless.Wire;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Repeats;

/// <summary>
/// Operators' requests with an <c>Idempotency-Key</c> are carried out once, whichever host they reach: the first creates an object
/// named by its caller and key, and a repetition finds the answer there. Answers that hold a secret or a pre-signed URL are not
/// kept; a repetition of theirs is told that it was done.
/// </summary>
public sealed class AnsweredRequests(IObjectStore store, TimeProvider time)
{
    /// <summary>The header.</summary>
    public const string Header = "Idempotency-Key";

    /// <summary>Says on an answer that it is a repetition's.</summary>
    public const string ReplayedHeader = "Idempotency-Replayed";

    /// <summary>Longest key, in characters; it is visible ASCII.</summary>
    public const int MaxKeyLength = 128;

    /// <summary>Largest answer that is kept, in bytes.</summary>
    public const int MaxKeptBytes = 64 << 10;

    /// <summary>How long a host may take to answer before another counts it as dead and does the work again; longer than any request lives.</summary>
    public static readonly TimeSpan PendingFor = TimeSpan.FromMinutes(5);

    /// <summary>How long a key is remembered at least.</summary>
    public static readonly TimeSpan KeepFor = TimeSpan.FromDays(2);

    internal async Task<Reply> AnswerAsync(Route route, RouteCall call, CancellationToken cancellationToken)
    {
        var values = call.Http.Request.Headers[Header];
        if (values.Count == 0)
        {
            return await route.Handler(call, cancellationToken);
        }

        var key = values.ToString();
        if (values.Count > 1 || key.Length is 0 or > MaxKeyLength || key.Any(character => character is <= ' ' or > '~'))
        {
            return Reply.Problem(Problems.Invalid(
                "Nothing was done.", [new Problem(Header, RouteCall.Shorten(key), $"one key of 1 to {MaxKeyLength} visible ASCII characters")]));
        }

        var name = StoreNames.Answer(Digest.Of(Encoding.UTF8.GetBytes($"{call.Operator.Id}\n{key}")));
        var pending = new AnsweredDocument(Fingerprint(route, call), time.GetUtcNow(), 0, null);
        var put = await store.PutAsync(name, pending, RepeatJson.Default.AnsweredDocument, PutCondition.CreateOnce, cancellationToken);
        if (!put.Written)
        {
            var found = await store.FindAsync(name, RepeatJson.Default.AnsweredDocument, cancellationToken);
            if (found is null || Repeated(route, pending, found.Value) is not { } repeated)
            {
                var condition = found is null ? PutCondition.CreateOnce : PutCondition.IfMatch(found.ETag);
                put = await store.PutAsync(name, pending, RepeatJson.Default.AnsweredDocument, condition, cancellationToken);
                repeated = put.Written ? null : InProgress();
            }

            if (repeated is not null)
            {
                return repeated;
            }
        }

        return await CarryOutAsync(route, call, name, pending, put.ETag!, cancellationToken);
    }

    private async Task<Reply> CarryOutAsync(
        Route route, RouteCall call, string name, AnsweredDocument pending, string etag, CancellationToken cancellationToken)
    {
        Reply? reply = null;
        try
        {
            reply = await route.Handler(call, cancellationToken);
            return reply;
        }
        finally
        {
            if (reply is { ProblemType: null })
            {
                var body = route.ShowsSecret || reply.Body.Length > MaxKeptBytes ? null : Encoding.UTF8.GetString(reply.Body);
                var done = pending with { Status = reply.Status, Body = body };
                await store.PutAsync(name, done, RepeatJson.Default.AnsweredDocument, PutCondition.IfMatch(etag), CancellationToken.None);
            }
            else
            {
                // Refused or failed: it changed nothing that counts, and sent again it may succeed.
                await store.DeleteAsync(name, CancellationToken.None);
            }
        }
    }

    /// <summary>What a repetition is told; null where the first one died on the way and its work is to be done.</summary>
    private Reply? Repeated(Route route, AnsweredDocument request, AnsweredDocument found)
    {
        if (found.Fingerprint != request.Fingerprint)
        {
            return Reply.Problem(Problems.Conflict(
                "/problems/other-request", "The key was used for another request", $"Choose another {Header}; nothing was done."));
        }

        if (found.Status == 0)
        {
            return time.GetUtcNow() - found.Since < PendingFor ? InProgress() : null;
        }

        if (found.Status == StatusCodes.Status204NoContent)
        {
            return Reply.Empty(found.Status).With(ReplayedHeader, "true");
        }

        return found.Body is null
            ? Reply.Problem(Problems.Conflict(
                "/problems/repeated", "This was done already",
                $"{route.Name} with this key was answered {found.Status}; what it showed is not kept. Use another key to do it again."))
            : Reply.JsonBytes(Encoding.UTF8.GetBytes(found.Body), found.Status).With(ReplayedHeader, "true");
    }

    private static Reply InProgress() => Reply.Problem(Problems.Conflict(
        "/problems/in-progress", "The same request is being answered", "Repeat this in some seconds.")).With("Retry-After", "5");

    private static string Fingerprint(Route route, RouteCall call)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{route.Name}\n{call.Http.Request.Path}\n{call.Http.Request.QueryString}\n"));
        hash.AppendData(call.Body);
        return Digest.FromBytes(hash.GetHashAndReset()).ToString();
    }
}
