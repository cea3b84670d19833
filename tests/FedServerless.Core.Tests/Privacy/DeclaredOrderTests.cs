using FedServerless.Privacy;

namespace FedServerless.Core.Tests.Privacy;

public class DeclaredOrderTests
{
    public static TheoryData<double, double> Budgets() => new()
    {
        { 0.1, 1e-5 }, { 1, 1e-3 }, { 1, 1e-5 }, { 2, 1e-5 }, { 3, 1e-7 }, { 8, 1e-9 }, { 100, 1e-5 },
    };

    // Against brute force: how many rounds of plain noise the filter admits at each order of the grid.
    [Theory]
    [MemberData(nameof(Budgets))]
    public void Best_PlainNoise_IsTheLeastOrderWithNineTenthsOfTheMost(double epsilon, double delta)
    {
        var budget = new PrivacySpend(epsilon, delta);
        var counts = RenyiOrders.Default.Values.ToDictionary(order => order, order => Count(budget, order, new GaussianEvent(1e4)));

        var chosen = DeclaredOrder.Best(budget)!.Value;

        var most = counts.Values.Max();
        Assert.True(counts[chosen] >= DeclaredOrder.Share * most * 0.999);
        Assert.All(counts.Where(entry => entry.Key < chosen), entry => Assert.True(entry.Value < DeclaredOrder.Share * most * 1.001));
    }

    [Theory]
    [MemberData(nameof(Budgets))]
    public void BestFor_PlannedRounds_IsTheOrderThatAdmitsTheMost(double epsilon, double delta)
    {
        var (budget, planned) = (new PrivacySpend(epsilon, delta), new PoissonGaussianEvent(0.01, 20));

        var most = RenyiOrders.Default.Values.Max(order => Count(budget, order, planned));

        Assert.Equal(most, Count(budget, DeclaredOrder.BestFor(budget, planned)!.Value, planned), most * 1e-3);
    }

    // The remark of DeclaredOrder.Best: the best plain order can be far off for a sampled one.
    [Fact]
    public void Best_SampledRounds_AreNotFarFromTheirBest()
    {
        var (budget, sampled) = (new PrivacySpend(2, 1e-5), new PoissonGaussianEvent(0.01, 1));

        Assert.Equal(28, Count(budget, 10, sampled));
        Assert.Equal(879, Count(budget, 8, sampled));
        Assert.True(Count(budget, DeclaredOrder.Best(budget)!.Value, sampled) > 0.9 * Count(budget, DeclaredOrder.BestFor(budget, sampled)!.Value, sampled));
    }

    [Fact]
    public void Best_NoOrderHasRoom_IsNull() => Assert.Null(DeclaredOrder.Best(new PrivacySpend(1e-4, 1e-9)));

    [Theory]
    [InlineData(0, 1e-5)]
    [InlineData(double.PositiveInfinity, 1e-5)]
    [InlineData(double.NaN, 1e-5)]
    [InlineData(1, 0)]
    [InlineData(1, 1)]
    public void Best_NoBudget_Throws(double epsilon, double delta)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => DeclaredOrder.Best(new PrivacySpend(epsilon, delta)));
        Assert.Throws<ArgumentOutOfRangeException>(() => DeclaredOrder.BestFor(new PrivacySpend(epsilon, delta), new GaussianEvent(1)));
    }

    private static long Count(PrivacySpend budget, double order, PrivacyEvent release)
    {
        var filter = new RenyiFilter(budget, FilterAdaptivity.Adaptive, new RenyiOrders([order]));
        var price = RenyiCurve.Of(release, filter.Orders);
        var (least, most) = (0L, 1L << 50);
        while (most - least > 1)
        {
            var middle = (least + most) / 2;
            (least, most) = filter.Admits(RenyiCurve.Zero(filter.Orders).Plus(price, middle), RenyiCurve.Zero(filter.Orders)) ? (middle, most) : (least, middle);
        }

        return least;
    }
}
