using FedServerless.Cli.Privacy;
using FedServerless.Core.Tests.Privacy;
using FedServerless.Privacy;

namespace FedServerless.Cli.Tests.Privacy;

/// <summary>Coins and noise that a test can repeat.</summary>
internal sealed class SeededSteps(long seed) : RoundSteps
{
    private readonly SeededEntropy _entropy = new(seed);

    public override void Toss(double rate, Span<bool> isIn) => PoissonCoins.Toss(rate, isIn, _entropy);

    public override PrivateMean Begin(int dimension, UpdateGrid grid, double denominator, double noise) => new(dimension, grid, denominator, noise, _entropy);

    public override PrivateMean Begin(int dimension, UpdateGrid grid, double denominator, AdaptiveClip adaptive) => new(dimension, grid, denominator, adaptive, _entropy);
}
