using FedServerless.Gateway.Limits;
using FedServerless.Testing;

namespace FedServerless.LocalHost.Tests.Limits;

public sealed class TokenBucketsTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Take_BurstAndOneMore_OnlyTheLastIsRefused()
    {
        var buckets = new TokenBuckets(new TokenRate(2, 5), 64, _time);

        Assert.All(Enumerable.Range(0, 5), _ => Assert.True(buckets.TryTake(7, out var _)));
        Assert.False(buckets.TryTake(7, out var wait));
        Assert.Equal(TimeSpan.FromSeconds(0.5), wait);
    }

    [Fact]
    public void Take_AfterTheWait_Succeeds()
    {
        var buckets = new TokenBuckets(new TokenRate(2, 1), 64, _time);
        buckets.TryTake(7, out _);
        buckets.TryTake(7, out var wait);

        _time.Advance(wait - TimeSpan.FromTicks(1));
        Assert.False(buckets.TryTake(7, out _));
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.True(buckets.TryTake(7, out _));
        Assert.False(buckets.TryTake(7, out _));
    }

    [Fact]
    public void Take_LongSilence_GivesNoMoreThanABurst()
    {
        var buckets = new TokenBuckets(new TokenRate(1000, 3), 64, _time);
        buckets.TryTake(7, out _);
        _time.Advance(TimeSpan.FromDays(365));

        Assert.Equal(3, Enumerable.Range(0, 10).Count(_ => buckets.TryTake(7, out var _)));
    }

    [Fact]
    public void Charge_FarBelowNothing_OwesABurstAtMost()
    {
        var buckets = new TokenBuckets(new TokenRate(1, 10), 64, _time);
        buckets.Charge(7, 1_000_000);

        Assert.False(buckets.TryTake(7, out var wait));
        Assert.Equal(TimeSpan.FromSeconds(11), wait);
    }

    [Fact]
    public void Charge_GivenBackTooMuch_IsAFullBucket()
    {
        var buckets = new TokenBuckets(new TokenRate(1, 2), 64, _time);
        buckets.Charge(7, -100);

        Assert.Equal(2, Enumerable.Range(0, 10).Count(_ => buckets.TryTake(7, out var _)));
    }

    [Fact]
    public void Take_FloodOfNewSenders_DoesNotForgiveTheOneWhoIsOut()
    {
        var buckets = new TokenBuckets(new TokenRate(0.001, 10), 64, _time);
        buckets.Charge(7, 10);
        for (var sender = 100; sender < 100_100; sender++)
        {
            Assert.True(buckets.TryTake((UInt128)sender, out _));
        }

        Assert.False(buckets.TryTake(7, out _));
    }

    [Fact]
    public void Take_MillionSenders_AllocatesNothing()
    {
        var buckets = new TokenBuckets(new TokenRate(1, 10), 1024, _time);
        buckets.TryTake(1, out _);
        var next = 0;

        var allocated = Allocations.Least(() =>
        {
            for (var end = next + 500_000; next < end; next++)
            {
                buckets.TryTake((UInt128)next, out _);
            }
        });

        // The clock of the test is all that may allocate.
        Assert.InRange(allocated, 0, 1024);
    }

    [Fact]
    public void Take_FromManyThreads_HandsOutExactlyTheBurst()
    {
        var buckets = new TokenBuckets(new TokenRate(1, 500), 64, _time);
        var taken = 0;
        Parallel.For(0, 2000, _ =>
        {
            if (buckets.TryTake(7, out var _))
            {
                Interlocked.Increment(ref taken);
            }
        });

        Assert.Equal(500, taken);
    }
}
