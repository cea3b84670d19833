namespace FedServerless.Client;

/// <summary>What a model is worth on this client's samples.</summary>
/// <param name="Samples">Local samples evaluated on, 1 or more.</param>
/// <param name="Loss">Mean loss per sample; finite. Travels as the metric <c>loss</c>.</param>
/// <param name="Accuracy">Share of samples answered correctly, 0 to 1; null where it has no meaning. Travels as <c>accuracy</c>.</param>
/// <param name="Metrics">Further named finite numbers for the operator; null for none. <c>loss</c> and <c>accuracy</c> are taken.</param>
public sealed record EvaluationResult(
    long Samples,
    double Loss,
    double? Accuracy = null,
    IReadOnlyDictionary<string, double>? Metrics = null);
