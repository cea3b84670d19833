using System.Collections.Immutable;
using FedServerless.Activities.State;
using FedServerless.Storage;

namespace FedServerless.Activities.Runs;

/// <summary>
/// What people read about a run. Each entry is create-once at a name that follows from what happened, so an activity that runs
/// twice writes it once, and names sort in the order of a run's steps.
/// </summary>
public sealed class RunLog(IObjectStore store, TimeProvider time)
{
    /// <summary>Writes an entry unless it is there.</summary>
    /// <param name="run">The run.</param>
    /// <param name="round">The round, or 0.</param>
    /// <param name="what">What happened; also fixes the place among the round's entries.</param>
    /// <param name="message">A sentence for people.</param>
    /// <param name="client">The client concerned, or null.</param>
    /// <param name="values">Numbers of the event, or null.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public Task WriteAsync(
        string run, int round, LogKind what, string message, string? client, IReadOnlyDictionary<string, double>? values, CancellationToken cancellationToken)
    {
        var entry = new LogDocument(
            time.GetUtcNow(), KindName(what), round, client, message, values ?? ImmutableSortedDictionary<string, double>.Empty);
        var name = StoreNames.LogEntry(run, round, (int)what, client ?? "run");
        return store.PutAsync(name, entry, StoreJson.Default.LogDocument, PutCondition.CreateOnce, cancellationToken);
    }

    private static string KindName(LogKind kind)
    {
        var name = kind.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }
}

/// <summary>What a log entry is about; the number is its place among a round's entries.</summary>
public enum LogKind
{
    /// <summary>The run began.</summary>
    RunStarted = 0,

    /// <summary>The round was planned.</summary>
    RoundPlanned = 10,

    /// <summary>Clients can take part.</summary>
    RoundOpened = 20,

    /// <summary>The receipts that count are fixed.</summary>
    RoundSealed = 30,

    /// <summary>An update is not in the model.</summary>
    UpdateExcluded = 40,

    /// <summary>A robust rule left an update out.</summary>
    UpdateLeftOut = 45,

    /// <summary>A new version is served.</summary>
    RoundPublished = 50,

    /// <summary>The round published nothing.</summary>
    RoundAbandoned = 51,

    /// <summary>A client was put into quarantine.</summary>
    ClientQuarantined = 55,

    /// <summary>Clients evaluated the version.</summary>
    VersionEvaluated = 60,

    /// <summary>The run ended.</summary>
    RunEnded = 90,
}
