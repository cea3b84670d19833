using FedServerless.Activities.State;
using FedServerless.Storage;

namespace FedServerless.Activities.Clients;

/// <summary>
/// Which of some clients are revoked. Read when something is sealed and kept in the seal, so that every later step and every
/// replay goes by the same answer.
/// </summary>
internal static class Revocations
{
    /// <summary>The revoked ones in the order given, or null for none: one listing of the members, then only who is missing there.</summary>
    public static async Task<IReadOnlyList<string>?> FindRevokedAsync(
        this IObjectStore store, string population, IReadOnlyList<string> clients, CancellationToken cancellationToken)
    {
        var missing = new HashSet<string>(clients, StringComparer.Ordinal);
        var prefix = StoreNames.Members(population);
        await foreach (var member in store.ListAsync(prefix, cancellationToken))
        {
            missing.Remove(member.Name[prefix.Length..]);
        }

        var revoked = new List<string>();
        foreach (var client in clients.Where(missing.Contains))
        {
            var stored = await store.FindAsync(StoreNames.Client(client), ClientJson.Default.ClientDocument, cancellationToken);
            if (stored?.Value.State == ClientStates.Revoked)
            {
                revoked.Add(client);
            }
        }

        return revoked.Count == 0 ? null : revoked;
    }
}
