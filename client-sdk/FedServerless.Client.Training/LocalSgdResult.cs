namespace FedServerless.Client.Training;

/// <summary>What a local solver did.</summary>
/// <param name="Steps">Gradient steps taken.</param>
/// <param name="FirstLoss">Mean training loss of the first batch, at the weights the round began with.</param>
/// <param name="Loss">Mean training loss over the last epoch, each batch measured before its step.</param>
public readonly record struct LocalSgdResult(int Steps, double FirstLoss, double Loss)
{
    /// <summary>True when the loss stopped being finite; the weights are then worthless.</summary>
    public bool Diverged => !double.IsFinite(Loss);
}
