using FedServerless.Privacy;

namespace FedServerless.Cli.Privacy;

/// <summary>Where coins and noise of a federation in memory come from: the operating system. A test brings steps of its own.</summary>
internal class RoundSteps
{
    /// <summary>Tosses each client's coin.</summary>
    public virtual void Toss(double rate, Span<bool> isIn) => PoissonCoins.Toss(rate, isIn);

    /// <summary>Begins a round with a fixed clipping norm.</summary>
    public virtual PrivateMean Begin(int dimension, UpdateGrid grid, double denominator, double noise) => new(dimension, grid, denominator, noise);

    /// <summary>Begins a round whose clipping norm adapts.</summary>
    public virtual PrivateMean Begin(int dimension, UpdateGrid grid, double denominator, AdaptiveClip adaptive) => new(dimension, grid, denominator, adaptive);
}
