using FedServerless.Wire;

namespace FedServerless.Optimization;

/// <summary>The built-in local solvers: values of <see cref="TrainingSpec.Solver"/>.</summary>
public static class LocalSolvers
{
    /// <summary>Mini-batch SGD; with <see cref="TrainingSpec.ProximalMu"/> FedProx. The default.</summary>
    public const string Sgd = "sgd";

    /// <summary>SCAFFOLD, option II: control variates against client drift. Karimireddy et al. 2020, arXiv:1910.06378, algorithm 1.</summary>
    public const string Scaffold = "scaffold";

    /// <summary>FedDyn: a dynamic regulariser; α is <see cref="TrainingSpec.ProximalMu"/>. Acar et al. 2021, arXiv:2111.04263, algorithm 1.</summary>
    public const string FedDyn = "feddyn";

    /// <summary>FedNova: updates are divided by the steps they took. Wang et al. 2020, arXiv:2007.07481, equation 8.</summary>
    public const string FedNova = "fednova";

    /// <summary>Every name, in ordinal order.</summary>
    public static IReadOnlyList<string> Names { get; } = [FedDyn, FedNova, Scaffold, Sgd];

    /// <summary>The solver that a validated spec asks for.</summary>
    /// <exception cref="ArgumentException">No solver has that name; the message lists those that exist.</exception>
    public static ILocalSolver Create(TrainingSpec training)
    {
        ArgumentNullException.ThrowIfNull(training);
        return training.Solver switch
        {
            Sgd => new PlainSolver(),
            Scaffold => new ScaffoldSolver(training.LearningRate),
            FedDyn => new FedDynSolver(training.ProximalMu),
            FedNova => new FedNovaSolver(training.LearningRate, training.Momentum, training.ProximalMu),
            _ => throw new ArgumentException($"No local solver is named '{training.Solver}'; there are: {string.Join(", ", Names)}.", nameof(training)),
        };
    }

    /// <summary>Gradient steps of a round on so many samples: epochs times batches, a last partial batch included.</summary>
    /// <param name="training">Epochs and batch size.</param>
    /// <param name="samples">1 or more; more than <see cref="RunLimits.MaxSamples"/> count as so many, whatever a receipt claims.</param>
    public static long Steps(TrainingSpec training, long samples)
    {
        ArgumentNullException.ThrowIfNull(training);
        ArgumentOutOfRangeException.ThrowIfLessThan(samples, 1);
        return training.Epochs * (training.BatchSize == 0 ? 1 : ((Math.Min(samples, RunLimits.MaxSamples) - 1) / training.BatchSize) + 1);
    }
}
