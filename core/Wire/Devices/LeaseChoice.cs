using System.Text.Json.Serialization;

namespace FedServerless.Wire;

/// <summary>
/// What a round's policy chose for one client: <see cref="Adaptation.AdaptationPolicy"/>. Made once; the lease repeats it, and the receipt
/// names it.
/// </summary>
/// <param name="Epochs">Passes over the local samples.</param>
/// <param name="BatchSize">Samples a step; 0 for all of them.</param>
/// <param name="RestSeconds">How long the client stays away after it has committed, in seconds; 0 for not at all.</param>
/// <param name="MaxBytesPerDay">Most bytes of models and updates that the client moves in a day of UTC; null for no bound.</param>
public sealed record LeaseChoice(
    int Epochs,
    int BatchSize,
    double RestSeconds,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? MaxBytesPerDay = null)
{
    /// <summary>A round's training as it was chosen for a client; the operator's own where nothing was.</summary>
    public static TrainingSpec Apply(TrainingSpec training, LeaseChoice? choice)
    {
        ArgumentNullException.ThrowIfNull(training);
        return choice is null ? training : training with { Epochs = choice.Epochs, BatchSize = choice.BatchSize };
    }
}
