namespace FedServerless.Gateway.Authentication;

/// <summary>
/// The master secrets that are active: what is issued is made with the current one, what comes back is accepted under both. So a
/// rotation turns nobody away, and the one after it ends what was made with the oldest.
/// </summary>
/// <param name="Current">What is issued is made with it.</param>
/// <param name="Previous">Accepted too; null where there was no rotation yet.</param>
public sealed record SecretRing(MasterSecret Current, MasterSecret? Previous = null)
{
    /// <summary>Both, the current one first.</summary>
    public IEnumerable<MasterSecret> Active => Previous is null ? [Current] : [Current, Previous];
}
