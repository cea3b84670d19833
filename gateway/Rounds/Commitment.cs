using System.Text.Json.Serialization.Metadata;
using FedServerless.Activities.State;
using FedServerless.Gateway.Http;
using FedServerless.Storage;
using FedServerless.Wire;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Rounds;

/// <summary>
/// Writing a claim once and saying truly what that means. The claim is written first and <c>closing</c> looked for after: whoever
/// seals creates <c>closing</c> first and lists after. So a claim that found no <c>closing</c> is in the list, whatever any clock says.
/// </summary>
internal static class Commitment
{
    /// <summary>Writes the claim and answers 201, 202, 200 or 409.</summary>
    /// <param name="store">Where.</param>
    /// <param name="name">Name of the claim.</param>
    /// <param name="claim">The claim.</param>
    /// <param name="type">Its JSON.</param>
    /// <param name="isSame">True when an earlier claim says the same.</param>
    /// <param name="closing">Name of the object that says that sealing began.</param>
    /// <param name="isSealedAsync">Whether the seal has the client; null while there is no seal.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<Reply> WriteAsync<T>(
        IObjectStore store, string name, T claim, JsonTypeInfo<T> type, Func<T, bool> isSame, string closing,
        Func<CancellationToken, Task<bool?>> isSealedAsync, CancellationToken cancellationToken)
        where T : class
    {
        var put = await store.PutAsync(name, claim, type, PutCondition.CreateOnce, cancellationToken);
        if (!put.Written && !isSame((await store.GetAsync(name, type, cancellationToken)).Value))
        {
            return Reply.Problem(Problems.Conflict("/problems/other-receipt", "Another one stands", "What the client sent first stands; this one says something else."));
        }

        if (await store.HeadAsync(closing, cancellationToken) is null)
        {
            return Answer(put.Written ? StatusCodes.Status201Created : StatusCodes.Status200OK, ReceiptStates.Committed);
        }

        return put.Written
            ? Answer(StatusCodes.Status202Accepted, ReceiptStates.Late)
            : await isSealedAsync(cancellationToken) switch
            {
                null => Answer(StatusCodes.Status202Accepted, ReceiptStates.Late),
                true => Answer(StatusCodes.Status200OK, ReceiptStates.Committed),
                false => Answer(StatusCodes.Status200OK, ReceiptStates.Late),
            };
    }

    private static Reply Answer(int status, string state) => Reply.Json(status, new CommitResponse(state), WireJson.Default.CommitResponse);

    /// <summary>True when both hold the same numbers under the same names.</summary>
    public static bool SameMetrics(IReadOnlyDictionary<string, double> left, IReadOnlyDictionary<string, double> right) =>
        left.Count == right.Count && left.All(metric => right.TryGetValue(metric.Key, out var value) && value.Equals(metric.Value));
}
