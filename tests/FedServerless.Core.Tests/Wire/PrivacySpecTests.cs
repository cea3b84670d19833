using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Core.Tests.Wire;

public sealed class PrivacySpecTests
{
    [Fact]
    public void Validate_PrivateSpecOfDefaults_IsLegal() => Assert.Empty(RunSpecValidator.Validate(Spec()));

    public static TheoryData<string, RunSpec> Forbidden => new()
    {
        { "selection.overSelection", Spec() with { Selection = new SelectionSpec { Kind = "uniform", Clients = 10, OverSelection = 0.1, QuarantineAfter = 0 } } },
        { "selection.minReputation", Spec() with { Selection = new SelectionSpec { MinReputation = 0.5, QuarantineAfter = 0 } } },
        { "selection.quarantineAfter", Spec() with { Selection = new SelectionSpec { Kind = "poisson", Rate = 0.1, QuarantineAfter = 1 } } },
        { "round.quorum", Spec() with { Round = new RoundSpec { Quorum = 1 } } },
        { "round.minimum", Spec() with { Round = new RoundSpec { Minimum = 2 } } },
        { "aggregation.rule", Spec() with { Aggregation = new AggregationSpec { Rule = "median", Weighting = "uniform" } } },
        { "aggregation.weighting", Spec() with { Aggregation = new AggregationSpec() } },
        { "aggregation.minSamples", Spec() with { Aggregation = new AggregationSpec { Weighting = "uniform", MinSamples = 1 } } },
        { "aggregation.maxNorm", Spec() with { Aggregation = new AggregationSpec { Weighting = "uniform", MaxNorm = 1 } } },
        { "aggregation.maxNormRatio", Spec() with { Aggregation = new AggregationSpec { Weighting = "uniform", MaxNormRatio = 2 } } },
        { "privacy", Spec() with { Training = new TrainingSpec { Solver = "scaffold" } } },
        { "privacy", Spec() with { Training = new TrainingSpec { Solver = "fednova" } } },
        { "training.measure", Spec() with { Training = new TrainingSpec { Measure = true } } },
        { "retainUpdates", Spec() with { RetainUpdates = true } },
        { "evaluation.clients", Spec() with { Evaluation = new EvaluationSpec() } },
    };

    // PITFALLS 4, 18, 19: weights, un-noised by-products and robust rules have another sensitivity.
    [Theory]
    [MemberData(nameof(Forbidden))]
    public void Validate_WhatPrivacyForbids_IsRefusedWithTheReason(string field, RunSpec spec)
    {
        var problem = Assert.Single(RunSpecValidator.Validate(spec));

        Assert.Equal(field, problem.Field);
        Assert.Contains(":", problem.Expected, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(double.NaN)]
    [InlineData(-1)]
    public void Validate_ClipOrNoiseOfNothing_IsRefused(double value)
    {
        Assert.Equal("privacy.clip", Assert.Single(RunSpecValidator.Validate(Spec(new PrivacySpec { Clients = 100, Level = "strict", Clip = value }))).Field);
        Assert.Equal("privacy.noiseMultiplier", Assert.Single(RunSpecValidator.Validate(Spec(new PrivacySpec { Clients = 100, NoiseMultiplier = value }))).Field);
    }

    [Theory]
    [InlineData(0.01, false)]
    [InlineData(0.0099, true)]
    [InlineData(0.011, false)]
    public void Validate_Delta_IsBelowOneOverN(double delta, bool isLegal)
    {
        var problems = RunSpecValidator.Validate(Spec(new PrivacySpec { Clients = 100, Epsilon = 3, Delta = delta }));

        Assert.Equal(isLegal, problems.Count == 0);
        Assert.All(problems, problem => Assert.Equal("privacy.delta", problem.Field));
    }

    [Fact]
    public void Validate_NeitherLevelNorEpsilonNorNoise_IsRefused() =>
        Assert.Equal("privacy", Assert.Single(RunSpecValidator.Validate(Spec(new PrivacySpec { Clients = 100 }))).Field);

    [Fact]
    public void Validate_TwoWaysAtOnce_IsRefused() =>
        Assert.Equal("privacy", Assert.Single(RunSpecValidator.Validate(Spec(new PrivacySpec { Clients = 100, Epsilon = 1, NoiseMultiplier = 1 }))).Field);

    [Theory]
    [InlineData("strict", 1)]
    [InlineData("balanced", 3)]
    [InlineData("light", 8)]
    public void Of_Level_KeepsItsEpsilonAndWastesLittle(string level, double epsilon)
    {
        var terms = PrivacyTerms.Of(Spec(new PrivacySpec { Clients = 1000, Level = level }));

        var release = terms.Release(UpdateGrid.BitsFor(1_000_000)).Against(PrivacyAdversary.ModelHolder);
        var spend = RenyiCurve.Of(new RepeatedEvent(release, 10), RenyiOrders.Default).Spend(1e-4);
        Assert.InRange(spend.Epsilon, epsilon * 0.999, epsilon);
        Assert.Equal(100, terms.Denominator, 1e-9);
        Assert.Equal(1e-4, terms.Delta, 1e-12);
        Assert.NotNull(terms.AdaptiveClip);
    }

    // PITFALLS 1, 5: another client takes the place of one that is gone.
    [Fact]
    public void Of_FixedSizeSample_IsPricedAgainstTwiceTheSensitivity()
    {
        var spec = Spec(new PrivacySpec { Clients = 1000, NoiseMultiplier = 2 }) with
        {
            Selection = new SelectionSpec { Kind = "uniform", Clients = 100, QuarantineAfter = 0 },
        };

        var release = PrivacyTerms.Of(spec).Release(20).Against(PrivacyAdversary.ModelHolder);

        Assert.Equal(new GaussianEvent(1, 21), release);
    }

    [Fact]
    public void Of_FixedSizeSampleAndAnEpsilon_FindsTheNoise()
    {
        var spec = Spec(new PrivacySpec { Clients = 1000, Epsilon = 3 }) with
        {
            Selection = new SelectionSpec { Kind = "uniform", Clients = 100, QuarantineAfter = 0 },
        };

        var terms = PrivacyTerms.Of(spec);

        var release = terms.Release(UpdateGrid.BitsFor(1)).Against(PrivacyAdversary.ModelHolder);
        Assert.InRange(RenyiCurve.Of(new RepeatedEvent(release, 10), RenyiOrders.Default).Spend(1e-4).Epsilon, 2.999, 3);
    }

    [Fact]
    public void TryParse_PrivacyAlone_FillsInWhatPrivacyNeeds()
    {
        const string Json = """{"model":"m","rounds":10,"privacy":{"clients":1000,"level":"balanced"}}""";

        Assert.True(RunSpecJson.TryParse(System.Text.Encoding.UTF8.GetBytes(Json), out var spec, out var problems), string.Join("; ", problems));

        Assert.Equal(("poisson", 0.1, 0, "uniform"), (spec.Selection.Kind, spec.Selection.Rate, spec.Selection.QuarantineAfter, spec.Aggregation.Weighting));
    }

    [Fact]
    public void TryParse_PrivacyAndWhatItForbids_IsRefused()
    {
        const string Json = """{"model":"m","rounds":10,"privacy":{"clients":1000,"level":"balanced"},"aggregation":{"weighting":"samples"},"selection":{"quarantineAfter":3}}""";

        Assert.False(RunSpecJson.TryParse(System.Text.Encoding.UTF8.GetBytes(Json), out _, out var problems));

        Assert.Equal(["selection.quarantineAfter", "aggregation.weighting"], problems.Select(problem => problem.Field));
    }

    private static RunSpec Spec(PrivacySpec? privacy = null) => new()
    {
        Model = "m",
        Rounds = 10,
        Privacy = privacy ?? new PrivacySpec { Clients = 1000, Level = PrivacyLevels.Balanced },
        Selection = new SelectionSpec { Kind = Selections.Poisson, Rate = 0.1, QuarantineAfter = 0 },
        Aggregation = new AggregationSpec { Weighting = Weightings.Uniform },
    };
}
