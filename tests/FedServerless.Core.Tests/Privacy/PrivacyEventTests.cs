using FedServerless.Privacy;

namespace FedServerless.Core.Tests.Privacy;

public class PrivacyEventTests
{
    [Theory]
    [InlineData(0.0099)]
    [InlineData(1000001)]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Gaussian_NoiseOutsideItsRange_IsRefused(double noise) => Assert.Throws<ArgumentOutOfRangeException>(() => new GaussianEvent(noise));

    [Theory]
    [InlineData(0.01)]
    [InlineData(1e6)]
    public void Gaussian_NoiseAtTheEnds_IsTaken(double noise) => Assert.Equal(noise, new GaussianEvent(noise).NoiseMultiplier);

    [Theory]
    [InlineData(0)]
    [InlineData(1.0000001)]
    [InlineData(-0.5)]
    [InlineData(double.NaN)]
    public void Poisson_RateOutsideItsRange_IsRefused(double rate) => Assert.Throws<ArgumentOutOfRangeException>(() => new PoissonGaussianEvent(rate, 1));

    [Fact]
    public void Gaussian_NoiseTooCoarseForItsGrid_IsRefused()
    {
        Assert.Equal(5, new GaussianEvent(1, 5).GridBits);
        Assert.Throws<ArgumentOutOfRangeException>(() => new GaussianEvent(0.999, 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => new GaussianEvent(1, 32));
        Assert.Throws<ArgumentOutOfRangeException>(() => new GaussianEvent(1, -1));
    }

    [Fact]
    public void Events_OfTheSameParts_AreEqual()
    {
        static PrivacyEvent Build() => new ComposedEvent([new GaussianEvent(1, 12), new RepeatedEvent(new PoissonGaussianEvent(0.5, 2), 3)]);

        Assert.Equal(Build(), Build());
        Assert.Equal(Build().GetHashCode(), Build().GetHashCode());
        Assert.NotEqual<PrivacyEvent>(new GaussianEvent(1), new PoissonGaussianEvent(1, 1));
    }

    // PITFALLS 2, 5: adjacency, sampling and adversary decide on sensitivity and amplification.
    // Sampling, adjacency and adversary decide sensitivity and amplification; the table is docs/maths/privacy.md's.
    [Theory]
    [InlineData(ClientSampling.Poisson, PrivacyAdjacency.AddOrRemoveOne, PrivacyAdversary.ModelHolder, 1, true)]
    [InlineData(ClientSampling.Poisson, PrivacyAdjacency.AddOrRemoveOne, PrivacyAdversary.CohortObserver, 1, false)]
    [InlineData(ClientSampling.Poisson, PrivacyAdjacency.ZeroOutOne, PrivacyAdversary.ModelHolder, 1, true)]
    [InlineData(ClientSampling.Poisson, PrivacyAdjacency.ReplaceOne, PrivacyAdversary.ModelHolder, 2, false)]
    [InlineData(ClientSampling.FixedSize, PrivacyAdjacency.AddOrRemoveOne, PrivacyAdversary.ModelHolder, 2, false)]
    [InlineData(ClientSampling.FixedSize, PrivacyAdjacency.AddOrRemoveOne, PrivacyAdversary.CohortObserver, 1, false)]
    [InlineData(ClientSampling.FixedSize, PrivacyAdjacency.ZeroOutOne, PrivacyAdversary.ModelHolder, 1, false)]
    [InlineData(ClientSampling.AllClients, PrivacyAdjacency.AddOrRemoveOne, PrivacyAdversary.ModelHolder, 1, false)]
    [InlineData(ClientSampling.AllClients, PrivacyAdjacency.ReplaceOne, PrivacyAdversary.ModelHolder, 2, false)]
    public void Against_EachCombination_HasItsSensitivityAndAmplification(
        ClientSampling sampling, PrivacyAdjacency adjacency, PrivacyAdversary adversary, int sensitivity, bool amplified)
    {
        var rate = sampling == ClientSampling.AllClients ? 1 : 0.25;
        var release = new NoisyRelease(sampling, rate, 2) { Adjacency = adjacency, GridBits = 12 };

        var priced = Assert.Single(release.Against(adversary).Releases()).Release;

        Assert.Equal((2.0 / sensitivity, amplified ? rate : 1), (priced.NoiseMultiplier, priced.SamplingRate));
        Assert.Equal(11 + sensitivity, priced.GridBits);
    }

    // PITFALLS 17.
    [Theory]
    [InlineData(0.01, 100, DeltaVerdict.Meaningless)]
    [InlineData(0.0099, 100, DeltaVerdict.Large)]
    [InlineData(0.00101, 100, DeltaVerdict.Large)]
    [InlineData(0.001, 100, DeltaVerdict.Sound)]
    public void Judge_DeltaInAPopulation_RefusesOneInN(double delta, long population, DeltaVerdict verdict) =>
        Assert.Equal(verdict, DeltaRule.Judge(delta, population));

    [Fact]
    public void Judge_DeltaThatIsNone_IsRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => DeltaRule.Judge(0, 100));

    [Fact]
    public void Against_AllClientsAtARateBelowOne_IsRefused() =>
        Assert.Throws<InvalidOperationException>(() => new NoisyRelease(ClientSampling.AllClients, 0.5, 1).Against(PrivacyAdversary.ModelHolder));
}
