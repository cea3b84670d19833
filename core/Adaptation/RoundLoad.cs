using FedServerless.Wire;

namespace FedServerless.Adaptation;

/// <summary>What a round asks of each of its clients before anything is adapted.</summary>
/// <param name="Training">Local training, as the operator set it.</param>
/// <param name="DeadlineSeconds">Longest time that the round collects.</param>
/// <param name="ModelBytes">Bytes of the model, 1 or more.</param>
/// <param name="DownBytes">Most bytes that a client receives.</param>
/// <param name="UpBytes">Most bytes that a client sends.</param>
public sealed record RoundLoad(TrainingSpec Training, double DeadlineSeconds, long ModelBytes, long DownBytes, long UpBytes);
