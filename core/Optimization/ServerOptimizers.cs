using System.Collections.Frozen;
using FedServerless.Wire;

namespace FedServerless.Optimization;

/// <summary>The built-in server optimizers: Reddi et al. 2021, arXiv:2003.00295, algorithms 1 and 2.</summary>
public static class ServerOptimizers
{
    /// <summary>Server SGD, <c>x += η·Δ</c>; with η = 1 plain federated averaging. The default.</summary>
    public const string FedAvg = "fedavg";

    /// <summary>Server momentum, <c>u = β·u + Δ; x += η·u</c> (Hsu et al. 2019, arXiv:1909.06335).</summary>
    public const string FedAvgM = "fedavgm";

    /// <summary>Adaptive with <c>v += Δ²</c>.</summary>
    public const string FedAdagrad = "fedadagrad";

    /// <summary>Adaptive with <c>v = β₂·v + (1−β₂)·Δ²</c>.</summary>
    public const string FedAdam = "fedadam";

    /// <summary>Adaptive with <c>v = v − (1−β₂)·Δ²·sign(v − Δ²)</c>.</summary>
    public const string FedYogi = "fedyogi";

    private static readonly FrozenDictionary<string, Func<OptimizerSpec, IServerOptimizer>> ByName =
        new Dictionary<string, Func<OptimizerSpec, IServerOptimizer>>(StringComparer.Ordinal)
        {
            [FedAvg] = spec => new FedAvgOptimizer(spec),
            [FedAvgM] = spec => new FedAvgMOptimizer(spec),
            [FedAdagrad] = spec => new AdaptiveOptimizer<AdagradMoment>(FedAdagrad, spec),
            [FedAdam] = spec => new AdaptiveOptimizer<AdamMoment>(FedAdam, spec),
            [FedYogi] = spec => new AdaptiveOptimizer<YogiMoment>(FedYogi, spec),
        }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Every name, in ordinal order.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. ByName.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The optimizer that a validated spec asks for.</summary>
    /// <exception cref="ArgumentException">No optimizer has that name; the message lists those that exist.</exception>
    public static IServerOptimizer Create(OptimizerSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return ByName.TryGetValue(spec.Name, out var create)
            ? create(spec)
            : throw new ArgumentException($"No server optimizer is named '{spec.Name}'; there are: {string.Join(", ", Names)}.", nameof(spec));
    }
}
