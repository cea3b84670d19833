using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Client;

/// <summary>One round of local training.</summary>
public sealed class FitContext
{
    /// <summary>The run.</summary>
    public required string Run { get; init; }

    /// <summary>The round, from 1.</summary>
    public required int Round { get; init; }

    /// <summary>
    /// The model the round starts from, a copy of the trainer's own: train it in place. Parameters may change freely; a value that
    /// is not finite is refused before anything is sent.
    /// </summary>
    public required ModelState Model { get; init; }

    /// <summary>Epochs, batch size, learning rate and so on, as the operator set them for this run.</summary>
    public TrainingSpec Training { get; init; } = new();

    /// <summary>
    /// Added to every gradient, one value a parameter; empty for none. Only a trainer with <see cref="IFedTrainer.FollowsCorrection"/> gets one.
    /// </summary>
    public ReadOnlyMemory<float> Correction { get; init; }

    /// <summary>
    /// Where this client's local chance comes from in this round: shuffling, dropout. A trainer that uses nothing else repeats its
    /// update bit for bit.
    /// </summary>
    public long Seed { get; init; }

    /// <summary>When the round stops waiting, by <see cref="Time"/>. Default: never.</summary>
    public DateTimeOffset Deadline { get; init; } = DateTimeOffset.MaxValue;

    /// <summary>The clock that <see cref="Deadline"/> is read on. Default: the system's.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Time left until <see cref="Deadline"/>; never negative. It must also cover the upload.</summary>
    public TimeSpan Remaining
    {
        get
        {
            var left = Deadline - Time.GetUtcNow();
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }
}
