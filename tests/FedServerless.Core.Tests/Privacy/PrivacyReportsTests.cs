using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Core.Tests.Privacy;

public class PrivacyReportsTests
{
    private static readonly ReportOptions Everything = new(Classic: true);

    // Figure 1 of the issue, k = 120 of 3383 clients, z = 1.2, 100 rounds, delta 1e-5: 1.98888 at integer orders, 2.4195 by the classic conversion (published; recomputed there).
    [Fact]
    public void OfPlan_FigureOfTheIssue_IsWhatIsPublished()
    {
        var report = PrivacyReports.OfPlan(new NoisyRelease(ClientSampling.Poisson, 120.0 / 3383, 1.2), 100, 3383, 1e-5, Everything);

        var holder = report.Prices[0];
        Assert.InRange(holder.Epsilon, 1.95, 1.98889);
        Assert.InRange(holder.ClassicEpsilon!.Value, 2.38, 2.4196);
        Assert.True(holder.TightLower <= holder.TightUpper && holder.TightUpper < holder.Epsilon);
        Assert.True(holder.Amplified);
        Assert.False(report.Prices[1].Amplified);
    }

    // PITFALLS 2: no amplification against who sees the sample.
    // Whoever sees the cohort: 100 Gaussians of z = 1.2 are one of z = 0.12, whose epsilon the analytic Gaussian knows.
    [Fact]
    public void OfPlan_CohortObserver_PaysWithoutSampling()
    {
        var report = PrivacyReports.OfPlan(new NoisyRelease(ClientSampling.Poisson, 120.0 / 3383, 1.2), 100, 3383, 1e-5, Everything);

        Assert.Equal(AnalyticGaussian.Epsilon(1e-5, 0.12), report.Prices[1].TightUpper!.Value, 1e-9);
    }

    [Fact]
    public void OfPlan_NoRounds_CostNothing()
    {
        var report = PrivacyReports.OfPlan(new NoisyRelease(ClientSampling.Poisson, 0.1, 1), 0, 100, 1e-4, Everything);

        Assert.All(report.Prices, price => Assert.Equal((0, 0), (price.Epsilon, price.TightUpper)));
        Assert.Empty(report.Releases);
    }

    [Theory]
    [InlineData(1e-4, 0)]
    [InlineData(2e-4, 1)]
    [InlineData(1e-3, 1)]
    public void OfPlan_LargeDelta_IsWarnedOf(double delta, int warnings)
    {
        var report = PrivacyReports.OfPlan(new NoisyRelease(ClientSampling.Poisson, 0.1, 1), 10, 1000, delta, Everything);

        Assert.Equal(warnings, report.Warnings.Count);
    }

    // PITFALLS 1: a fixed size is not a Poisson sample.
    [Fact]
    public void OfPlan_FixedSize_IsNotAmplifiedAndSaysSo()
    {
        var report = PrivacyReports.OfPlan(new NoisyRelease(ClientSampling.FixedSize, 0.1, 2), 10, 1000, 1e-4, Everything);

        Assert.All(report.Prices, price => Assert.False(price.Amplified));
        Assert.Contains(report.Warnings, warning => warning.Contains("without amplification", StringComparison.Ordinal));
    }

    // PITFALLS 14.
    [Fact]
    public void OfPlan_BestOrderAtTheEnd_IsWarnedOf()
    {
        var report = PrivacyReports.OfPlan(new NoisyRelease(ClientSampling.AllClients, 1, 0.01), 1000, 1000, 1e-4, Everything with { Tight = false });

        Assert.True(report.Prices[0].AtGridEnd);
        Assert.Contains(report.Warnings, warning => warning.Contains("wider grid", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(ReportOptions.MostReleases, true)]
    [InlineData(ReportOptions.MostReleases + 1, false)]
    public void OfPlan_ManyRounds_HaveABracketUpToTheLimit(long rounds, bool hasBracket)
    {
        var report = PrivacyReports.OfPlan(new NoisyRelease(ClientSampling.AllClients, 1, 500), rounds, 1000, 1e-4, Everything);

        Assert.Equal(hasBracket, report.Prices[0].TightUpper is not null);
        Assert.Equal(!hasBracket, report.Warnings.Any(warning => warning.Contains("No tight bracket", StringComparison.Ordinal)));
    }

    // PITFALLS 18.
    [Fact]
    public void OfPlan_Anything_NamesWhatIsNotCovered()
    {
        var report = PrivacyReports.OfPlan(new NoisyRelease(ClientSampling.Poisson, 0.1, 1), 10, 1000, 1e-4, Everything);

        Assert.Equal(
            [PrivacyLeaks.Server, PrivacyLeaks.Metrics, PrivacyLeaks.Participation, PrivacyLeaks.Timing, PrivacyLeaks.Online, PrivacyLeaks.Evaluations, PrivacyLeaks.Tuning],
            report.Leaks.Select(leak => leak.Kind));
    }

    [Fact]
    public void OfPopulation_SeveralRunsUnderAnAdaptiveBudget_HaveNoBracketAndSaysWhatIsProven()
    {
        var state = Ledger.New().Reserve("first", 3).Reserve("second", 2).State;

        var report = PrivacyReports.OfPopulation(state, Everything);

        Assert.All(report.Prices, price => Assert.Null(price.TightUpper));
        Assert.Contains(report.Warnings, warning => warning.Contains("what is proven then is the budget, epsilon 3", StringComparison.Ordinal));
        Assert.Equal(5, report.Releases.Single().Reserved);
    }

    [Fact]
    public void OfRun_OneOfTwoRuns_PricesItsOwnRoundsAndShowsTheWholeBudget()
    {
        var ledger = Ledger.New().Reserve("first", 3).Reserve("second", 2);

        var report = PrivacyReports.OfRun(ledger.State, "first", Ledger.Round, 5, Everything);

        var alone = PrivacyReports.OfPlan(Ledger.Round, 3, 1000, 1e-5, Everything);
        var done = PrivacyReports.OfPlan(Ledger.Round, 5, 1000, 1e-5, Everything);
        Assert.Equal(alone.Prices.Select(price => price.Epsilon), report.Prices.Select(price => price.Epsilon));
        Assert.Equal(done.Prices.Select(price => price.Epsilon), report.Prices.Select(price => price.EpsilonWhenDone!.Value));
        Assert.Equal(PrivacyReports.StandingOf(ledger.State), report.Budget);
        Assert.True(report.Budget!.SpentRatio > 0 && report.Budget.ChargedRatio == 0);
    }

    // By hand: at order 8 five rounds of D(8) each; the conversion of Balle et al. 2020, theorem 21.
    [Fact]
    public void StandingOf_FiveRounds_IsTheConversionAtTheDeclaredOrder()
    {
        var state = Ledger.New().Reserve("first", 5).State;
        var divergence = 5 * RenyiCurve.Of(Ledger.Round.Against(PrivacyAdversary.ModelHolder), new RenyiOrders([8])).Divergences[0];

        var standing = PrivacyReports.StandingOf(state);

        var expected = divergence + Math.Log(7.0 / 8) - ((Math.Log(1e-5) + Math.Log(8)) / 7);
        Assert.Equal(expected, standing.Epsilon, 1e-12);
        Assert.Equal(divergence / (3 - Math.Log(7.0 / 8) + ((Math.Log(1e-5) + Math.Log(8)) / 7)), standing.SpentRatio, 1e-12);
    }

    private sealed record Ledger(LedgerState State)
    {
        public static readonly NoisyRelease Round = new(ClientSampling.Poisson, 0.1, 2) { GridBits = 12 };

        public static Ledger New() => new Ledger(LedgerState.Empty("p")).Add(entry => entry with
        {
            Kind = LedgerEntryKinds.Budget,
            Operator = "o",
            Budget = new PrivacyBudget { Epsilon = 3, Delta = 1e-5, Adversary = PrivacyAdversary.ModelHolder, Adaptivity = FilterAdaptivity.Adaptive, Order = 8, Clients = 1000 },
        });

        public Ledger Reserve(string run, int rounds) => Enumerable.Range(1, rounds)
            .Aggregate(this, (ledger, round) => ledger.Add(entry => entry with { Run = run, Round = round, Release = Round }));

        private Ledger Add(Func<LedgerEntry, LedgerEntry> make) => new(State.After(
            make(new LedgerEntry
            {
                Format = 1, Population = "p", Number = State.Head + 1, Previous = State.HeadDigest, Kind = LedgerEntryKinds.Reserve, Time = DateTimeOffset.UnixEpoch,
            }),
            Digest.Of([(byte)State.Head])));
    }
}
