using System.Collections.Concurrent;
using FedServerless.Activities.Clients;
using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Wire;
using Microsoft.Extensions.Logging;

namespace FedServerless.Gateway.Upkeep;

/// <summary>
/// Keeps the clients' standings up to date from closed rounds, and puts into quarantine whoever had too many updates refused in a
/// row. Runs beside the watchdog; a pass does a bounded piece.
/// </summary>
public sealed partial class StandingKeeper(IObjectStore store, StandingBook standings, ClientRegistry clients, TimeProvider time, ILogger<StandingKeeper> logger)
{
    /// <summary>Most rounds folded in one pass.</summary>
    public const int MaxRoundsPerPass = 200;

    private readonly RunLog _log = new(store, time);

    private readonly ConcurrentDictionary<string, string> _done = new(StringComparer.Ordinal);

    /// <summary>One pass; returns how many rounds were folded.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var runs = new List<ObjectFacts>();
        await foreach (var facts in store.ListAsync(StoreNames.RunIndex, cancellationToken))
        {
            if (!_done.TryGetValue(facts.Name, out var etag) || etag != facts.ETag)
            {
                runs.Add(facts);
            }
        }

        var folded = 0;
        foreach (var facts in runs)
        {
            var run = facts.Name[StoreNames.RunIndex.Length..];
            try
            {
                folded += await FoldAsync(facts, run, MaxRoundsPerPass - folded, cancellationToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                LogFailed(run, exception);
            }

            if (folded >= MaxRoundsPerPass)
            {
                break;
            }
        }

        return folded;
    }

    private async Task<int> FoldAsync(ObjectFacts facts, string run, int most, CancellationToken cancellationToken)
    {
        var document = await store.FindAsync(StoreNames.Run(run), StoreJson.Default.RunDocument, cancellationToken);
        if (document is null)
        {
            return 0;
        }

        // Asked before the rounds: a run that has ended has no further one.
        var hasEnded = await store.HeadAsync(StoreNames.RunOutcome(run), cancellationToken) is not null;
        var spec = document.Value.Spec;
        var round = await standings.AppliedAsync(spec.Population, run, cancellationToken) + 1;
        var folded = 0;
        while (folded < most && await store.HeadAsync(StoreNames.RoundOutcome(run, round), cancellationToken) is not null)
        {
            var last = round;
            await standings.FoldAsync(run, round, refused => QuarantineAsync(spec, run, last, refused, cancellationToken), cancellationToken);
            round++;
            folded++;
        }

        if (hasEnded && folded < most)
        {
            _done[facts.Name] = facts.ETag;
        }

        return folded;
    }

    private async Task QuarantineAsync(
        RunSpec spec, string run, int round, IReadOnlyList<(string Client, int RefusedInRow, string? Reason)> refused, CancellationToken cancellationToken)
    {
        foreach (var (client, inRow, reason) in refused.Where(found => spec.Selection.QuarantineAfter > 0 && found.RefusedInRow >= spec.Selection.QuarantineAfter))
        {
            await QuarantineAsync(run, round, client, $"{inRow} updates in a row were refused, the last one in round {round} of '{run}': {reason}", cancellationToken);
        }
    }

    private async Task QuarantineAsync(string run, int round, string client, string reason, CancellationToken cancellationToken)
    {
        if (await clients.QuarantineAsync(client, reason, cancellationToken) is { State: ClientStates.Quarantined })
        {
            await _log.WriteAsync(run, round, LogKind.ClientQuarantined, $"{client} is in quarantine: {reason}", client, null, cancellationToken);
        }
    }

    [LoggerMessage(3141, LogLevel.Warning, "The standings of run {Run} could not be brought up to date; it is tried again")]
    private partial void LogFailed(string run, Exception exception);
}
