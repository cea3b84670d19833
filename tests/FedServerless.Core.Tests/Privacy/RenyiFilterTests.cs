using FedServerless.Privacy;

namespace FedServerless.Core.Tests.Privacy;

public class RenyiFilterTests
{
    private static readonly PoissonGaussianEvent Round = new(0.02, 1);
    private static readonly PrivacySpend Budget = new(2, 1e-5);

    [Fact]
    public void Admits_RoundAfterRound_StopsAtTheLastThatFits()
    {
        var filter = new RenyiFilter(Budget, FilterAdaptivity.ScheduleFixed, RenyiOrders.Default);
        var price = RenyiCurve.Of(Round, RenyiOrders.Default);
        var spent = RenyiCurve.Zero(RenyiOrders.Default);
        while (filter.Admits(spent, price))
        {
            spent = spent.Plus(price);
        }

        Assert.InRange(spent.Spend(Budget.Delta).Epsilon, 1.9, Budget.Epsilon);
        Assert.True(spent.Plus(price).Spend(Budget.Delta).Epsilon > Budget.Epsilon);
        Assert.False(filter.Admits(spent, Round));
    }

    [Fact]
    public void Admits_ExactlyTheBudget_IsAdmittedAndABitMoreIsNot()
    {
        var exact = RenyiCurve.Of(Round, RenyiOrders.Default).Spend(1e-5).Epsilon;
        var nothing = RenyiCurve.Zero(RenyiOrders.Default);

        Assert.True(new RenyiFilter(new(exact, 1e-5), FilterAdaptivity.ScheduleFixed, RenyiOrders.Default).Admits(nothing, Round));
        Assert.False(new RenyiFilter(new(Math.BitDecrement(exact), 1e-5), FilterAdaptivity.ScheduleFixed, RenyiOrders.Default).Admits(nothing, Round));
    }

    // One order admits nothing that is only affordable at another, and many declared orders share δ.
    [Fact]
    public void Admits_AdaptiveWithManyOrders_HasTheDeltaOfOneNthEach()
    {
        var orders = new RenyiOrders([4, 8, 16, 32]);
        var total = RenyiCurve.Of(new RepeatedEvent(Round, 100), orders);

        var shared = new RenyiFilter(Budget, FilterAdaptivity.Adaptive, orders).Spend(total).Epsilon;

        Assert.Equal(total.Spend(Budget.Delta / 4).Epsilon, shared);
        Assert.True(shared > total.Spend(Budget.Delta).Epsilon);
    }

    [Fact]
    public void Admits_AdaptiveWithOneOrder_CostsNothingExtra()
    {
        var order = new RenyiOrders([RenyiCurve.Of(new RepeatedEvent(Round, 100), RenyiOrders.Default).Spend(Budget.Delta).Order]);
        var total = RenyiCurve.Of(new RepeatedEvent(Round, 100), order);

        Assert.Equal(total.Spend(Budget.Delta).Epsilon, new RenyiFilter(Budget, FilterAdaptivity.Adaptive, order).Spend(total).Epsilon);
    }

    [Theory]
    [InlineData(0, 1e-5)]
    [InlineData(double.NaN, 1e-5)]
    [InlineData(double.PositiveInfinity, 1e-5)]
    [InlineData(1, 0)]
    [InlineData(1, 1)]
    public void Filter_OfNoBudget_IsRefused(double epsilon, double delta) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new RenyiFilter(new(epsilon, delta), FilterAdaptivity.Adaptive, RenyiOrders.Default));

    [Fact]
    public void Admits_CurveOnOtherOrders_IsRefused() => Assert.Throws<ArgumentException>(() =>
        new RenyiFilter(Budget, FilterAdaptivity.Adaptive, RenyiOrders.Default).Admits(RenyiCurve.Zero(RenyiOrders.Integers), Round));

    // What is admitted takes at most all, and n rounds take n times what one takes.
    [Theory]
    [InlineData(FilterAdaptivity.ScheduleFixed)]
    [InlineData(FilterAdaptivity.Adaptive)]
    public void Share_RoundAfterRound_GrowsEvenlyAndReachesOneWhereNothingIsAdmitted(FilterAdaptivity adaptivity)
    {
        var filter = new RenyiFilter(Budget, adaptivity, adaptivity == FilterAdaptivity.Adaptive ? new RenyiOrders([8]) : RenyiOrders.Default);
        var price = RenyiCurve.Of(Round, filter.Orders);
        var one = filter.Share(price);
        var nothing = RenyiCurve.Zero(filter.Orders);
        var admitted = 0;
        while (filter.Admits(nothing.Plus(price, admitted), price))
        {
            admitted++;
            Assert.Equal(admitted * one, filter.Share(nothing.Plus(price, admitted)), 1e-9);
        }

        Assert.Equal(0, filter.Share(nothing));
        Assert.InRange(admitted * one, 1 - one, 1);
        Assert.True(filter.Share(nothing.Plus(price, admitted + 1)) > 1);
    }

    [Fact]
    public void Share_NoOrderHasRoom_IsInfinite()
    {
        var filter = new RenyiFilter(new(0.01, 1e-9), FilterAdaptivity.Adaptive, new RenyiOrders([2]));

        Assert.Equal(double.PositiveInfinity, filter.Share(RenyiCurve.Of(Round, filter.Orders)));
        Assert.Equal(0, filter.Share(RenyiCurve.Zero(filter.Orders)));
    }
}
