using FedServerless.Wire.Downloads;

namespace FedServerless.Client.Rounds;

/// <summary>
/// The encodings a check-in asks for: every one this SDK reads, less those in which the model of the round at hand could not be had. So
/// a chain that is broken somewhere costs one whole model, not the round.
/// </summary>
internal sealed class EncodingChoice
{
    private (string Run, int Round)? _narrowedFor;

    /// <summary>What to ask for; the server serves <c>float32</c> unasked, where a run has it.</summary>
    public IReadOnlyList<string> Names { get; private set; } = DownloadEncodings.Names;

    /// <summary>A way to the round's model has failed: not that kind again, as long as the device is at this round.</summary>
    /// <param name="work">The round.</param>
    /// <param name="builtOnAnother">It led over deltas; else it was a whole encoded model.</param>
    public void Narrow(Work work, bool builtOnAnother)
    {
        _narrowedFor = (work.Run, work.Round);
        Names = builtOnAnother ? [.. Names.Where(name => name != DownloadEncodings.Delta)] : [];
    }

    /// <summary>The device is at this round now.</summary>
    public void Begin(Work work)
    {
        if (_narrowedFor is { } narrowed && narrowed != (work.Run, work.Round))
        {
            Widen();
        }
    }

    /// <summary>Asks for everything again: a run that serves nothing of the rest would never have work for this device.</summary>
    public void Widen() => (_narrowedFor, Names) = (null, DownloadEncodings.Names);
}
