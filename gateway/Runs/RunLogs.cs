using System.Globalization;
using System.Text.Json;
using FedServerless.Activities.State;
using FedServerless.Gateway.Http;
using FedServerless.Storage;
using FedServerless.Wire;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Runs;

/// <summary>
/// <c>GET runs/{run}/log?after=N</c>: pages with an ETag, or server-sent events where the host can hold a connection. Everything
/// works on polling alone.
/// </summary>
public sealed class RunLogs(IObjectStore store, GatewayOptions options, TimeProvider time)
{
    /// <summary>Most entries of a page.</summary>
    public const int MaxPage = 500;

    /// <summary>How often a stream looks for new entries.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(0.5);

    /// <summary>After so many looks without news a stream says that it is alive.</summary>
    private const int LooksPerBeat = 30;

    private const string LastKind = "runEnded";

    internal async Task<Reply> GetAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var run = call.Name("run");
        if (await store.HeadAsync(StoreNames.Run(run), cancellationToken) is null)
        {
            throw RunViews.Absent(run);
        }

        var after = ReadAfter(call);
        if (options.HoldCheckInsFor > TimeSpan.Zero && call.Http.Request.Headers.Accept.ToString().Contains("text/event-stream", StringComparison.Ordinal))
        {
            return Reply.Stream("text/event-stream", (http, token) => StreamAsync(http.Response, run, after, token));
        }

        var names = await ListAsync(run, cancellationToken);
        var tag = $"\"{names.Count}\"";
        if (call.Http.Request.Headers.IfNoneMatch == tag)
        {
            return Reply.Empty(StatusCodes.Status304NotModified).With("ETag", tag);
        }

        var entries = await ReadAsync(names, after, cancellationToken);
        var page = new LogPage(entries, Math.Max(after, entries.Count == 0 ? 0 : entries[^1].Number));
        return Reply.Json(StatusCodes.Status200OK, page, WireJson.Default.LogPage).With("ETag", tag);
    }

    private static int ReadAfter(RouteCall call)
    {
        var last = call.Http.Request.Headers["Last-Event-ID"].ToString();
        var text = last.Length > 0 ? last : call.Query("after") ?? "0";
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var after)
            ? after
            : throw new ProblemException(Problems.Invalid(
                "The log cannot be read from there.", [new Problem("after", RouteCall.Shorten(text), "the number of an entry, or 0")]));
    }

    private async Task StreamAsync(HttpResponse response, string run, int after, CancellationToken cancellationToken)
    {
        using var letGo = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, options.Stopping);
        try
        {
            await response.Body.FlushAsync(letGo.Token);
            for (var idle = 0; ;)
            {
                var isOver = await store.HeadAsync(StoreNames.RunOutcome(run), letGo.Token) is not null;
                var entries = await ReadAsync(await ListAsync(run, letGo.Token), after, letGo.Token);
                foreach (var entry in entries)
                {
                    var json = JsonSerializer.Serialize(entry, WireJson.Default.LogEntry);
                    await response.WriteAsync($"id: {entry.Number}\nevent: entry\ndata: {json}\n\n", letGo.Token);
                    after = entry.Number;
                }

                // A run writes its last entry after its outcome: two looks without news say that it has been read before.
                idle = entries.Count > 0 ? 0 : idle + 1;
                if (isOver && (idle >= 2 || (idle == 0 && entries[^1].Kind == LastKind)))
                {
                    await response.WriteAsync("event: end\ndata: {}\n\n", letGo.Token);
                    return;
                }

                if (idle % LooksPerBeat == LooksPerBeat - 1)
                {
                    await response.WriteAsync(": alive\n\n", letGo.Token);
                }

                await response.Body.FlushAsync(letGo.Token);
                await Task.Delay(LookEvery, time, letGo.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The reader or the host went away; a reader comes back with Last-Event-ID.
        }
    }

    private async Task<List<string>> ListAsync(string run, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        await foreach (var facts in store.ListAsync(StoreNames.RunLog(run), cancellationToken))
        {
            names.Add(facts.Name);
        }

        return names;
    }

    private async Task<List<LogEntry>> ReadAsync(List<string> names, int after, CancellationToken cancellationToken)
    {
        var entries = new List<LogEntry>();
        for (var i = after; i < Math.Min(names.Count, (long)after + MaxPage); i++)
        {
            var entry = (await store.FindAsync(names[i], StoreJson.Default.LogDocument, cancellationToken))?.Value;
            if (entry is not null)
            {
                entries.Add(new LogEntry(i + 1, entry.Time, entry.Kind, entry.Round, entry.Client, entry.Message, entry.Values));
            }
        }

        return entries;
    }
}
