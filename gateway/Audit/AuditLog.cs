using System.Security.Cryptography;
using System.Text.Json;
using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Wire;

namespace FedServerless.Gateway.Audit;

/// <summary>
/// Writes audit records: one create-once object each, under a name that sorts by time. Every record carries its host's number and the hash
/// of that host's record before it, so that one taken out of the middle or changed afterwards is missed.
/// </summary>
public sealed class AuditLog(IObjectStore store, TimeProvider time)
{
    private readonly string _host = RandomNumberGenerator.GetHexString(16, lowercase: true);

    private readonly Lock _gate = new();

    private long _number;

    private Digest? _previous;

    /// <summary>Writes a record; time, host, number and chain are filled in.</summary>
    internal async Task WriteAsync(AuditRecord record, CancellationToken cancellationToken)
    {
        byte[] bytes;
        string name;
        lock (_gate)
        {
            // The chain is made in memory and the writes go on side by side: a write that fails leaves a gap, which is the truth.
            var chained = record with { Time = time.GetUtcNow(), Host = _host, Number = ++_number, Previous = _previous };
            bytes = JsonSerializer.SerializeToUtf8Bytes(chained, WireJson.Default.AuditRecord);
            _previous = Digest.Of(bytes);
            name = FormattableString.Invariant(
                $"{StoreNames.AuditDay(DateOnly.FromDateTime(chained.Time.UtcDateTime))}{chained.Time.UtcDateTime:HHmmssfffffff}-{_host}-{_number:D9}.json");
        }

        await store.PutBytesAsync(name, bytes, PutCondition.CreateOnce, cancellationToken);
    }
}
