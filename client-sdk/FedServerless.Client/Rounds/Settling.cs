using FedServerless.Client.Http;
using FedServerless.Client.State;
using FedServerless.Client.Telemetry;
using FedServerless.Wire;

namespace FedServerless.Client.Rounds;

/// <summary>
/// Gives a round the vector that this device keeps for its model, once the server has said what became of the update before. While
/// it has not, no work that needs the vector is taken.
/// </summary>
internal sealed class Settling(StateFolder folder, ReceiptQuery receipts, FedClientOptions options, ClientEvents events)
{
    /// <summary>
    /// Updates refused in a row that drop the vector: one fewer than make a quarantine by default. What came too late was not refused, and neither counts
    /// nor ends the row.
    /// </summary>
    public const int MaxRefusedInRow = 2;

    /// <summary>The state of a model; looks at nothing yet.</summary>
    public SettlingState Of(SettlingKey key) => new(folder, key, events, options.MaxVectorBytes, options.OnStateWrite);

    /// <summary>The vector to begin a round with.</summary>
    /// <param name="state">Whose.</param>
    /// <param name="work">The round.</param>
    /// <param name="count">The vector's length: the model's parameters.</param>
    /// <param name="cancellationToken">Stops; nothing is lost.</param>
    /// <exception cref="GiveUpException">The update before is not decided yet: the work may be taken later.</exception>
    /// <exception cref="FedClientException">The server cannot be asked.</exception>
    public async Task<float[]> TakeAsync(SettlingState state, Work work, int count, CancellationToken cancellationToken)
    {
        if (state.Pending is not { } pending)
        {
            return state.Read(count);
        }

        var status = await receipts.AskAsync(pending.Run, pending.Round, cancellationToken).ConfigureAwait(false);
        var isSameRound = (pending.Run, pending.Round) == (work.Run, work.Round);
        switch (status.State)
        {
            case not ReceiptStates.Unknown when status.HeaderDigest is { } header && header != pending.HeaderDigest:
                return Reset($"the server has another update of round {pending.Round} of '{pending.Run}' than the one stored here");
            case ReceiptStates.Included:
                return Settle(SettlingState.Choice.After, refused: 0);
            case ReceiptStates.Excluded when status.Late:
                return Settle(SettlingState.Choice.Otherwise, state.Refused);
            case ReceiptStates.Excluded when state.CarriesOver && state.Refused + 1 >= MaxRefusedInRow:
                // A residual that was refused with its update makes the next one larger still, and that is refused as well.
                return Reset($"{MaxRefusedInRow} updates in a row were refused, the last one because: {status.Reason}");
            case ReceiptStates.Excluded:
                return Settle(SettlingState.Choice.Otherwise, state.Refused + 1);
            case ReceiptStates.Abandoned:
                return Settle(SettlingState.Choice.Otherwise, state.Refused);
            case ReceiptStates.Unknown when isSameRound:
                // It was lost on its way here or there; this round's training is done again from where that one began.
                return Settle(SettlingState.Choice.Before, state.Refused);
            case ReceiptStates.Unknown when state.IsCommitting:
                return Reset($"the server no longer knows what became of round {pending.Round} of '{pending.Run}'");
            case ReceiptStates.Unknown:
                return Settle(SettlingState.Choice.Otherwise, state.Refused);
            default:
                throw new GiveUpException(
                    $"the update of round {pending.Round} of '{pending.Run}' is {status.State}, and until that is settled model '{state.Key.Model}' is not trained with a {state.Key.Kind}")
                {
                    MayTryAgain = true,
                };
        }

        float[] Reset(string reason)
        {
            state.Reset(reason);
            return new float[count];
        }

        float[] Settle(SettlingState.Choice choice, int refused)
        {
            var values = state.Settle(choice, refused);
            events.Report(new StateSettled(state.Key.Model, state.Key.Kind, pending.Run, pending.Round, status.State));
            return values;
        }
    }
}
