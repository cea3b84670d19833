using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Client.Rounds;

/// <summary>
/// What a private round asks of the client before anything leaves it: the delta of all parameters is clipped as a whole, any residual included, then
/// encoded. The server clips again; this is so that an honest client's update loses its length where nobody sees it.
/// </summary>
internal static class PrivateDelta
{
    /// <summary>Clips in place and puts the bit of adaptive clipping, taken before, into the receipt if the lease asks for it.</summary>
    /// <param name="lease">Of a private round, or of any other, which changes nothing.</param>
    /// <param name="deltas">All parameters; what is not finite is left as it is, and the encoder refuses it by its tensor's name.</param>
    /// <param name="receipt">What will be signed.</param>
    public static Receipt Clip(TrainLease lease, Span<float> deltas, Receipt receipt) =>
        lease.Privacy is { } privacy && UpdateClip.TryClip(deltas, privacy.Clip, out var norm) && privacy.WantsClipBit
            ? receipt with { WithinClip = norm <= privacy.Clip }
            : receipt;
}
