using FedServerless.Client.Http;
using FedServerless.Client.Telemetry;
using FedServerless.Client.Tests.Support;

namespace FedServerless.Client.Tests.Http;

public sealed class RetryPolicyTests
{
    private readonly TestClock _clock = new();
    private readonly List<TimeSpan> _pauses = [];

    [Fact]
    public void Backoff_AnyJitter_StaysBelowTheDoublingBound()
    {
        var random = new Random(7);
        var policy = Policy(random.NextDouble);
        for (var attempt = 1; attempt <= 200; attempt++)
        {
            var bound = Math.Min(60_000, 500 * Math.Pow(2, attempt - 1));
            for (var i = 0; i < 50; i++)
            {
                Assert.InRange(policy.Backoff(attempt).TotalMilliseconds, 0, bound);
            }
        }
    }

    [Fact]
    public void Backoff_FullJitter_CoversItsWholeRange()
    {
        Assert.Equal(TimeSpan.Zero, Policy(() => 0).Backoff(5));
        Assert.Equal(TimeSpan.FromSeconds(4), Policy(() => 0.5).Backoff(5));
        Assert.Equal(TimeSpan.FromSeconds(60), Policy(() => 1).Backoff(1000));
    }

    [Theory]
    [InlineData(10, 0, 10)]
    [InlineData(10, 1, 12.5)]
    [InlineData(100_000, 0, 86_400)]
    public void Paced_ServerAsked_NeverShorterAndBounded(double asked, double jitter, double expected) =>
        Assert.Equal(TimeSpan.FromSeconds(expected), Policy(() => jitter).Paced(TimeSpan.FromSeconds(asked)));

    [Fact]
    public async Task RunAsync_FailsForGoodAtOnce_IsNotRepeated()
    {
        var attempts = 0;

        await Assert.ThrowsAsync<GiveUpException>(() => Run(_ =>
        {
            attempts++;
            throw new GiveUpException("no");
        }));

        Assert.Equal(1, attempts);
        Assert.Empty(_pauses);
    }

    [Theory]
    [InlineData(7, true)]
    [InlineData(8, false)]
    public async Task RunAsync_FailuresAroundTheLimit_GivesUpAtIt(int failures, bool succeeds)
    {
        var attempts = 0;
        var run = Run(_ => ++attempts <= failures ? throw new TransientException("down") : Task.FromResult(attempts));

        if (succeeds)
        {
            Assert.Equal(8, await run);
        }
        else
        {
            var problem = await Assert.ThrowsAsync<FedClientException>(() => run);
            Assert.True(problem.IsTransient);
            Assert.Equal(7, _pauses.Count);
        }
    }

    [Fact]
    public async Task RunAsync_ServerAsksForAPause_WaitsThatAndAtMostAQuarterMore()
    {
        var attempts = 0;

        await Run(_ => ++attempts == 1 ? throw new TransientException("busy", TimeSpan.FromSeconds(20)) : Task.FromResult(attempts));

        Assert.Equal(TimeSpan.FromSeconds(22.5), Assert.Single(_pauses));
    }

    [Theory]
    [InlineData(22.5, 0)]
    [InlineData(22.6, 1)]
    public async Task RunAsync_PauseAgainstTheDeadline_WaitsOnlyWhenItEndsBefore(double deadline, int pauses)
    {
        var attempts = 0;
        var run = Run(
            _ => ++attempts == 1 ? throw new TransientException("busy", TimeSpan.FromSeconds(20)) : Task.FromResult(attempts),
            Deadline.In(_clock, deadline));

        if (pauses == 0)
        {
            await Assert.ThrowsAsync<FedClientException>(() => run);
        }
        else
        {
            await run;
        }

        Assert.Equal(pauses, _pauses.Count);
    }

    [Fact]
    public async Task RunAsync_DeadlineOver_StillTriesOnce()
    {
        var result = await Run(_ => Task.FromResult(5), Deadline.In(_clock, 0));

        Assert.Equal(5, result);
    }

    private Task<int> Run(Func<CancellationToken, Task<int>> attempt, Deadline? deadline = null) =>
        Policy(() => 0.5).RunAsync("thing", deadline ?? Deadline.Never(_clock), attempt, CancellationToken.None);

    private RetryPolicy Policy(Func<double> jitter) => new(
        new FedClientOptions
        {
            StateFolder = "x",
            TimeProvider = _clock,
            Jitter = jitter,
            Delay = (pause, _) =>
            {
                _pauses.Add(pause);
                _clock.Advance(pause);
                return Task.CompletedTask;
            },
        },
        new ClientEvents(null));
}
