using FedServerless.Model;

namespace FedServerless.Client;

/// <summary>One evaluation of a published version on local samples.</summary>
public sealed class EvaluateContext
{
    /// <summary>The run.</summary>
    public required string Run { get; init; }

    /// <summary>The round that published the version.</summary>
    public required int Round { get; init; }

    /// <summary>The model to measure; a copy of the trainer's own.</summary>
    public required ModelState Model { get; init; }

    /// <summary>When evaluations close, by <see cref="Time"/>. Default: never.</summary>
    public DateTimeOffset Deadline { get; init; } = DateTimeOffset.MaxValue;

    /// <summary>The clock that <see cref="Deadline"/> is read on. Default: the system's.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Time left until <see cref="Deadline"/>; never negative.</summary>
    public TimeSpan Remaining
    {
        get
        {
            var left = Deadline - Time.GetUtcNow();
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }
}
