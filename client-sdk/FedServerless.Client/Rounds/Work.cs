using FedServerless.Client.Http;

namespace FedServerless.Client.Rounds;

/// <summary>One piece of work: its name, and until when it is worth anything.</summary>
/// <param name="Run">The run; checked.</param>
/// <param name="Round">The round; checked.</param>
/// <param name="Deadline">When the server stops waiting.</param>
internal sealed record Work(string Run, int Round, Deadline Deadline)
{
    public string Route => $"runs/{Run}/rounds/{Round}";

    /// <summary>The deadline as trainers and files see it.</summary>
    public DateTimeOffset WallClockDeadline { get; } = Deadline.Time.GetUtcNow() + Deadline.Remaining;
}
