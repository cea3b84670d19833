using System.Buffers.Text;
using System.Security.Cryptography;
using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Wire;

namespace FedServerless.Activities.Clients;

/// <summary>How an enrolment ended.</summary>
public enum EnrolmentOutcome
{
    /// <summary>The key is the client's; also when the same code and key come again.</summary>
    Enrolled = 0,

    /// <summary>No such code.</summary>
    UnknownCode,

    /// <summary>The code was not used in time.</summary>
    Expired,

    /// <summary>Another key used the code.</summary>
    UsedByAnotherKey,

    /// <summary>The client was enrolled again or revoked since the code was made.</summary>
    Superseded,
}

/// <summary>One-time codes: what an operator makes and a device turns into an identity.</summary>
public sealed class Enrolments(IObjectStore store, ClientRegistry clients, TimeProvider time)
{
    /// <summary>Random bytes of a code's secret.</summary>
    public const int SecretBytes = 16;

    /// <summary>Shortest life of a code, in seconds.</summary>
    public const double MinValidForSeconds = 60;

    /// <summary>Longest life of a code, in seconds: 30 days.</summary>
    public const double MaxValidForSeconds = 30 * 86_400.0;

    /// <summary>Makes a code for the client as it stands now. Only the hash of the secret is stored.</summary>
    /// <returns>The secret, base64url, shown to nobody again, and when it stops working.</returns>
    public async Task<(string Secret, DateTimeOffset ExpiresAt)> CreateAsync(
        string client, string population, TimeSpan validFor, CancellationToken cancellationToken)
    {
        var known = await clients.FindAsync(client, cancellationToken);
        var secret = RandomNumberGenerator.GetBytes(SecretBytes);
        var enrolment = new EnrolmentDocument(client, population, time.GetUtcNow() + validFor, (known?.Generation ?? 0) + 1, UsedBy: null);
        var name = StoreNames.Enrolment(Digest.Of(secret));
        var put = await store.PutAsync(name, enrolment, ClientJson.Default.EnrolmentDocument, PutCondition.CreateOnce, cancellationToken);
        return put.Written
            ? (Base64Url.EncodeToString(secret), enrolment.ExpiresAt)
            : throw new InvalidOperationException("Two random secrets were the same.");
    }

    /// <summary>Binds a code to a key and the key to the client. Safe to repeat after a crash at any point.</summary>
    /// <returns>How it ended, the client where it is enrolled, and whether this very call enrolled it.</returns>
    public async Task<(EnrolmentOutcome Outcome, ClientDocument? Client, bool IsNew)> EnrolAsync(
        string secret, DeviceKey key, CancellationToken cancellationToken)
    {
        if (!TryHash(secret, out var hash))
        {
            return (EnrolmentOutcome.UnknownCode, null, false);
        }

        var (outcome, enrolment) = await ConsumeAsync(StoreNames.Enrolment(hash), key, cancellationToken);
        return outcome == EnrolmentOutcome.Enrolled ? await ApplyAsync(enrolment!, key, cancellationToken) : (outcome, null, false);
    }

    private async Task<(EnrolmentOutcome Outcome, EnrolmentDocument? Enrolment)> ConsumeAsync(
        string name, DeviceKey key, CancellationToken cancellationToken)
    {
        while (true)
        {
            var stored = await store.FindAsync(name, ClientJson.Default.EnrolmentDocument, cancellationToken);
            switch (stored?.Value)
            {
                case null:
                    return (EnrolmentOutcome.UnknownCode, null);
                case { UsedBy: { } usedBy } used:
                    return (usedBy == key.Thumbprint ? EnrolmentOutcome.Enrolled : EnrolmentOutcome.UsedByAnotherKey, used);
                case { } unused when unused.ExpiresAt <= time.GetUtcNow():
                    return (EnrolmentOutcome.Expired, null);
            }

            var consumed = stored.Value with { UsedBy = key.Thumbprint };
            var put = await store.PutAsync(
                name, consumed, ClientJson.Default.EnrolmentDocument, PutCondition.IfMatch(stored.ETag), cancellationToken);
            if (put.Written)
            {
                return (EnrolmentOutcome.Enrolled, consumed);
            }
        }
    }

    private async Task<(EnrolmentOutcome Outcome, ClientDocument? Client, bool IsNew)> ApplyAsync(
        EnrolmentDocument enrolment, DeviceKey key, CancellationToken cancellationToken)
    {
        while (true)
        {
            var current = await store.FindAsync(
                StoreNames.Client(enrolment.Client), ClientJson.Default.ClientDocument, cancellationToken);
            var generation = current?.Value.Generation ?? 0;
            var isDone = generation == enrolment.Generation && current!.Value.Thumbprint == key.Thumbprint && current.Value.State == ClientStates.Enrolled;
            if (!isDone && generation != enrolment.Generation - 1)
            {
                return (EnrolmentOutcome.Superseded, null, false);
            }

            var next = isDone
                ? current!.Value
                : new ClientDocument(
                    enrolment.Client, enrolment.Population, key.X, key.Y, key.Thumbprint, time.GetUtcNow(), ClientStates.Enrolled, enrolment.Generation);
            if (await clients.WriteAsync(next, current, cancellationToken))
            {
                return (EnrolmentOutcome.Enrolled, next, !isDone);
            }
        }
    }

    private static bool TryHash(string secret, out Digest hash)
    {
        hash = default;
        if (secret.Length != Base64Url.GetEncodedLength(SecretBytes) || !Base64Url.IsValid(secret))
        {
            return false;
        }

        var bytes = Base64Url.DecodeFromChars(secret);
        hash = Digest.Of(bytes);
        return bytes.Length == SecretBytes;
    }
}
