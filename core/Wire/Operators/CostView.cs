using FedServerless.Capacity;

namespace FedServerless.Wire;

/// <summary>What something cost, as far as it was measured: an estimate, see docs/concepts/cost.md.</summary>
/// <param name="Amount">In <paramref name="Currency"/>, 0 or more.</param>
/// <param name="Currency">The currency.</param>
/// <param name="Prices">Whose prices these are.</param>
/// <param name="Usage">What was used.</param>
public sealed record CostView(double Amount, string Currency, string Prices, ResourceUsage Usage);
