using System.Diagnostics.Metrics;

namespace FedServerless.Activities.Telemetry;

/// <summary>What is said of rounds, when their outcome is written. An activity may run twice: an outcome may be counted twice, never missed.</summary>
internal static class RoundTelemetry
{
    private static readonly Counter<long> Rounds =
        FedTelemetry.Meter.CreateCounter<long>("fed.rounds", "{round}", "Rounds that ended, by outcome: published or abandoned.");

    private static readonly Counter<long> Updates =
        FedTelemetry.Meter.CreateCounter<long>("fed.updates", "{update}", "What became of the clients that rounds selected, by verdict: accepted, refused or missing.");

    /// <summary>A round ended.</summary>
    /// <param name="published">Whether with a version.</param>
    /// <param name="cohort">Clients that were selected.</param>
    /// <param name="receipts">Receipts in the seal.</param>
    /// <param name="accepted">Updates that were sound.</param>
    public static void Ended(bool published, int cohort, int receipts, int accepted)
    {
        Rounds.Add(1, new KeyValuePair<string, object?>("outcome", published ? "published" : "abandoned"));
        Add("accepted", accepted);
        Add("refused", receipts - accepted);
        Add("missing", cohort - receipts);
    }

    private static void Add(string verdict, int count) => Updates.Add(count, new KeyValuePair<string, object?>("verdict", verdict));
}
