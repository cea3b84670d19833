using FedServerless.Wire;

namespace FedServerless.Compression;

/// <summary>
/// Sends more of the first rounds' updates, in which most of the model still changes: Lin et al. 2018, "Deep Gradient Compression"
/// (arXiv:1712.01887), section 3.3, with rounds in place of epochs.
/// </summary>
public static class SparseWarmUp
{
    /// <summary>The share that a round before the first would keep.</summary>
    public const double FirstShare = 0.25;

    /// <summary>
    /// The update of one round. Of <c>W</c> = <see cref="UpdateSpec.WarmUpRounds"/> rounds, round <c>t</c> keeps
    /// <c>FirstShare^(1 − t/(W+1)) · keep^(t/(W+1))</c>; later ones, and a share above <see cref="FirstShare"/>, stay as they are.
    /// </summary>
    /// <param name="update">A legal specification.</param>
    /// <param name="round">Number of the round, 1 or more.</param>
    /// <returns>The same without a warm-up, and with the round's share where it has one.</returns>
    public static UpdateSpec InRound(UpdateSpec update, int round)
    {
        ArgumentNullException.ThrowIfNull(update);
        ArgumentOutOfRangeException.ThrowIfLessThan(round, 1);
        var keep = update.Keep ?? UpdateCodecs.DefaultKeep;
        if (update.WarmUpRounds is not { } rounds || round > rounds || keep >= FirstShare || !UpdateCodecs.Keeps(update.Codec))
        {
            return update with { WarmUpRounds = null };
        }

        var done = round / (rounds + 1.0);
        return update with { Keep = Math.Pow(FirstShare, 1 - done) * Math.Pow(keep, done), WarmUpRounds = null };
    }
}
