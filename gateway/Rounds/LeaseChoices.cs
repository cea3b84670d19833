using FedServerless.Activities.State;
using FedServerless.Adaptation;
using FedServerless.Storage;
using FedServerless.Wire;

namespace FedServerless.Gateway.Rounds;

/// <summary>
/// What the policy of a round that adapts chose for its clients. The first lease decides, by what the client had measured then: later ones
/// repeat it, whatever it has measured since, and so does every host.
/// </summary>
internal static class LeaseChoices
{
    /// <summary>The choice that stands for a client, or the one that is made now; null in a round that does not adapt.</summary>
    /// <param name="store">Where choices are kept.</param>
    /// <param name="file">The round.</param>
    /// <param name="client">The client.</param>
    /// <param name="measured">What it has measured; null for nothing.</param>
    /// <param name="downBytes">What it is to download for this lease: deltas, an encoded file, the model itself, or nothing.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<LeaseChoice?> MakeAsync(
        IObjectStore store, RoundFile file, string client, DeviceMeasurements? measured, long downBytes, CancellationToken cancellationToken)
    {
        var plan = file.Plan;
        if (plan.Adaptation is not { } policy)
        {
            return null;
        }

        if (await FindAsync(store, plan, client, cancellationToken) is { } known)
        {
            return known;
        }

        var shape = await file.ShapeAsync(cancellationToken);
        var load = new RoundLoad(plan.Training, plan.DeadlineSeconds, plan.Base.Bytes, downBytes, shape.HeaderLength + shape.MaxPayloadLength);
        var made = new LeaseDocument(AdaptationPolicy.Choose(policy, load, measured), measured);
        var name = StoreNames.Lease(plan.Run, plan.Round, client);
        return (await store.CreateOnceAsync(name, made, StoreJson.Default.LeaseDocument, cancellationToken)).Value.Choice;
    }

    /// <summary>The choice that stands for a client; null where none was made.</summary>
    public static async Task<LeaseChoice?> FindAsync(IObjectStore store, RoundPlan plan, string client, CancellationToken cancellationToken) => plan.Adaptation is null
        ? null
        : (await store.FindAsync(StoreNames.Lease(plan.Run, plan.Round, client), StoreJson.Default.LeaseDocument, cancellationToken))?.Value.Choice;
}
