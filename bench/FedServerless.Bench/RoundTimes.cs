using FedServerless.Wire;

namespace FedServerless.Bench;

/// <summary>When the steps of one round happened, by the host's log.</summary>
/// <param name="Round">From 1.</param>
/// <param name="Collect">Opened until sealed: clients download and upload, the host takes it in.</param>
/// <param name="Reduce">Sealed until published: validating, aggregating, publishing; the host alone.</param>
/// <param name="Between">Published until the next round is open: cleaning and planning; null after the last round.</param>
/// <param name="Accepted">Updates in the model.</param>
/// <param name="BytesUp">Bytes of the updates.</param>
/// <param name="BytesDown">Bytes of the models given out.</param>
internal sealed record RoundTimes(
    int Round, TimeSpan Collect, TimeSpan Reduce, TimeSpan? Between, int Accepted, double BytesUp, double BytesDown)
{
    /// <summary>Opened until the next round is open, or until published after the last one.</summary>
    public TimeSpan Whole => Collect + Reduce + (Between ?? TimeSpan.Zero);

    public static IReadOnlyList<RoundTimes> Read(IReadOnlyList<LogEntry> log)
    {
        var rounds = new List<RoundTimes>();
        foreach (var published in log.Where(entry => entry.Kind == "roundPublished"))
        {
            var opened = At("roundOpened", published.Round)!.Value;
            var seal = At("roundSealed", published.Round)!.Value;
            rounds.Add(new RoundTimes(
                published.Round, seal - opened, published.Time - seal, At("roundOpened", published.Round + 1) - published.Time,
                (int)published.Values["accepted"], published.Values["bytesUp"], published.Values["bytesDown"]));
        }

        return rounds;

        DateTimeOffset? At(string kind, int round) => log.FirstOrDefault(entry => entry.Kind == kind && entry.Round == round)?.Time;
    }
}
