using FedServerless.Privacy;

namespace FedServerless.Core.Tests.Privacy;

public class RenyiAccountantTests
{
    private const int Clients = 3383;
    private const double Delta = 1e-5;

    // The setting of TensorFlow Federated's tutorial on 3383 EMNIST writers: k clients a round at rate k/3383, z = k/100, 100 rounds; 120 is its answer.
    [Fact]
    public void Spend_NoiseInProportionToTheClients_120IsTheLeastWithEpsilonTwo()
    {
        var least = Enumerable.Range(50, 200).First(k => Epsilon(k, k / 100.0, RenyiOrders.Default) <= 2);

        Assert.Equal(120, least);
    }

    // Recomputed at integer orders in plain Python from the binomial sum.
    [Theory]
    [InlineData(120, 1.20, 1.9888773066392842)]
    [InlineData(119, 1.19, 2.0110889454644623)]
    [InlineData(50, 0.50, 11.290638530831039)]
    [InlineData(50, 0.75, 3.450043101317104)]
    [InlineData(50, 1.00, 1.5072692867416437)]
    public void Spend_IntegerOrders_IsTheKnownFigure(int clients, double noise, double epsilon) =>
        Assert.Equal(epsilon, Epsilon(clients, noise, RenyiOrders.Integers), 1e-9);

    [Fact]
    public void Spend_ClassicConversion_IsTheKnownFigure() =>
        Assert.Equal(2.4194717766466405, Rounds(120, 1.2, RenyiOrders.Integers).Spend(Delta, RenyiConversion.Classic).Epsilon, 1e-9);

    [Fact]
    public void Spend_FractionalOrders_NeverMoreThanIntegerOnes() =>
        Assert.InRange(Epsilon(50, 0.5, RenyiOrders.Default), 1, Epsilon(50, 0.5, RenyiOrders.Integers) - 0.1);

    [Theory]
    [InlineData(0.5)]
    [InlineData(1)]
    [InlineData(8)]
    public void Spend_DenserOrders_GainLessThanOnePartInAThousand(double noise)
    {
        var dense = new RenyiOrders(Enumerable.Range(1, 4000).Select(i => 1 + (i / 128.0)).Concat(Enumerable.Range(33, 990).Select(i => (double)i)));

        Assert.InRange(Epsilon(50, noise, RenyiOrders.Default) / Epsilon(50, noise, dense), 1 - 1e-12, 1.001);
    }

    [Fact]
    public void Spend_NothingComposed_IsZero()
    {
        var accountant = new RenyiAccountant();
        accountant.Compose(new RepeatedEvent(new GaussianEvent(1), 0));

        Assert.Equal(0, accountant.Spend(Delta).Epsilon);
        Assert.False(accountant.Spend(Delta).AtGridEnd);
    }

    // PITFALLS 14.
    [Fact]
    public void Spend_ImmenseNoise_IsFlooredAtZero()
    {
        var accountant = new RenyiAccountant();
        accountant.Compose(new GaussianEvent(1e6));

        Assert.Equal(0, accountant.Spend(0.01).Epsilon);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(-0.1)]
    [InlineData(double.NaN)]
    public void Spend_DeltaOutsideItsRange_IsRefused(double delta) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new RenyiAccountant().Spend(delta));

    [Fact]
    public void Spend_BestOrderAtTheEnd_SaysSo()
    {
        Assert.True(Rounds(50, 0.5, new RenyiOrders([8, 9])).Spend(Delta).AtGridEnd);
        Assert.True(Rounds(50, 20, new RenyiOrders([2, 3])).Spend(Delta).AtGridEnd);
        Assert.False(Rounds(120, 1.2, RenyiOrders.Default).Spend(Delta).AtGridEnd);
    }

    // PITFALLS 13.
    // Rates and noises that change by round add up at each order, whatever their sequence; 1.5 rounds of ε each would not.
    [Fact]
    public void Compose_PartsThatDiffer_AddUpAtEveryOrder()
    {
        var (one, other) = (new PoissonGaussianEvent(0.1, 1), new GaussianEvent(4));
        var accountant = new RenyiAccountant();
        accountant.Compose(new ComposedEvent([one, new RepeatedEvent(new ComposedEvent([other, one]), 3)]));

        var expected = RenyiCurve.Of(one, RenyiOrders.Default).Divergences.Zip(RenyiCurve.Of(other, RenyiOrders.Default).Divergences, (a, b) => (4 * a) + (3 * b));
        Assert.All(accountant.Total.Divergences.Zip(expected), pair => Assert.Equal(pair.Second, pair.First, 1e-12 * pair.Second));
    }

    [Fact]
    public void Compose_AnySequence_GivesTheSameBits()
    {
        PrivacyEvent[] events = [new PoissonGaussianEvent(0.1, 1), new GaussianEvent(4), new PoissonGaussianEvent(0.3, 2), new GaussianEvent(4, 12)];
        var (forward, backward) = (new RenyiAccountant(), new RenyiAccountant());
        foreach (var (one, other) in events.Zip(events.Reverse()))
        {
            forward.Compose(one);
            backward.Compose(other);
        }

        Assert.Equal(forward.Spend(Delta), backward.Spend(Delta));
    }

    [Fact]
    public void Compose_CountsThatOverflow_AreRefused() =>
        Assert.Throws<OverflowException>(() => new RenyiAccountant().Compose(new RepeatedEvent(new RepeatedEvent(new GaussianEvent(1), long.MaxValue), 2)));

    [Fact]
    public void Plus_OtherOrders_IsRefused() => Assert.Throws<ArgumentException>(() =>
        RenyiCurve.Zero(RenyiOrders.Default).Plus(RenyiCurve.Zero(RenyiOrders.Integers)));

    [Fact]
    public void Delta_AtTheEpsilonOfADelta_IsThatDelta()
    {
        var total = Rounds(120, 1.2, RenyiOrders.Default).Total;

        Assert.Equal(Delta, total.Delta(total.Spend(Delta).Epsilon), 1e-15);
        Assert.Equal(0, RenyiCurve.Zero(RenyiOrders.Default).Delta(0));
    }

    [Theory]
    [InlineData(new double[0])]
    [InlineData(new[] { 1.0, 2.0 })]
    [InlineData(new[] { 2.0, 2.0 })]
    [InlineData(new[] { 2.0, double.NaN })]
    [InlineData(new[] { 1024.5 })]
    public void Orders_ThatAreNotAGrid_AreRefused(double[] orders) => Assert.Throws<ArgumentException>(() => new RenyiOrders(orders));

    private static double Epsilon(int clients, double noise, RenyiOrders orders) => Rounds(clients, noise, orders).Spend(Delta).Epsilon;

    private static RenyiAccountant Rounds(int clients, double noise, RenyiOrders orders)
    {
        var accountant = new RenyiAccountant(orders);
        accountant.Compose(new RepeatedEvent(new PoissonGaussianEvent((double)clients / Clients, noise), 100));
        return accountant;
    }
}
