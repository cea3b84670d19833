namespace FedServerless.Client;

/// <summary>What a round of local training used and achieved.</summary>
/// <param name="Samples">Local samples trained on, 1 or more. The update weighs by it, up to the operator's cap.</param>
/// <param name="Metrics">Named finite numbers for the operator, at most <see cref="Wire.DeviceApi.MaxMetrics"/>; null for none.</param>
public sealed record FitResult(long Samples, IReadOnlyDictionary<string, double>? Metrics = null);
