using FedServerless.Activities.Clients;
using FedServerless.Activities.State;
using FedServerless.Storage;

namespace FedServerless.Gateway.Upkeep;

/// <summary>
/// Removes one-time codes that can enrol nobody any more. For <see cref="KeepFor"/> after it was used a code still answers its
/// own key again, and after it ran out it still says so; then it is unknown.
/// </summary>
public sealed class EnrolmentSweep(IObjectStore store, TimeProvider time)
{
    /// <summary>How long a used or expired code is kept.</summary>
    public static readonly TimeSpan KeepFor = TimeSpan.FromDays(1);

    /// <summary>Most codes looked at in a pass; codes that live on are passed over in the next, too, so it is far above what waits.</summary>
    public const int MaxPerPass = 10_000;

    /// <summary>One pass; returns how many codes went.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var before = time.GetUtcNow() - KeepFor;
        var old = new List<string>();
        await foreach (var facts in store.ListAsync(StoreNames.Enrolments, cancellationToken))
        {
            if (facts.LastModified < before)
            {
                old.Add(facts.Name);
            }

            if (old.Count == MaxPerPass)
            {
                break;
            }
        }

        var swept = 0;
        foreach (var name in old)
        {
            // Written at its making and at its use only: a used one was used before the day began.
            var code = await store.FindAsync(name, ClientJson.Default.EnrolmentDocument, cancellationToken);
            if (code is not null && (code.Value.UsedBy is not null || code.Value.ExpiresAt < before) && await store.DeleteAsync(name, cancellationToken))
            {
                swept++;
            }
        }

        return swept;
    }
}
