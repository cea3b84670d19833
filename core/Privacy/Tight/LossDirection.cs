namespace FedServerless.Privacy;

/// <summary>Which of two neighbouring datasets the outcome came from.</summary>
internal enum LossDirection
{
    /// <summary>From the one with the unit: P is the mixture, the loss has no upper bound.</summary>
    Remove,

    /// <summary>From the one without: P is the plain Gaussian, the loss is at most −ln(1 − q).</summary>
    Add,
}
