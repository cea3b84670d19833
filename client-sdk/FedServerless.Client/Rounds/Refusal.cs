using FedServerless.Client.Http;

namespace FedServerless.Client.Rounds;

/// <summary>What a refusal of a piece of work means for it.</summary>
internal static class Refusal
{
    /// <summary>True when the server refused this work, not this device: the same bytes would be refused again, now or after a restart.</summary>
    public static bool IsOfTheWork(FedClientException refusal) =>
        refusal is { IsTransient: false, Status: not (null or 401) } && refusal.Problem?.Type != ProblemTypes.Revoked;

    /// <summary>Remembers that the work is left for good, unless the refusal may pass.</summary>
    /// <returns>What to throw.</returns>
    public static Exception Settle(RoundFolder folder, FedClientException refusal)
    {
        if (refusal.Problem?.Type is ProblemTypes.WrongState or ProblemTypes.IncompleteUpload)
        {
            return new FedClientException(refusal.Message, refusal) { Status = refusal.Status, Problem = refusal.Problem, IsTransient = true };
        }

        var reason = refusal.Message.TrimEnd('.');
        folder.Settle(new State.Settlement(State.Settlement.GaveUp, reason));
        return new GiveUpException(reason, refusal);
    }
}
