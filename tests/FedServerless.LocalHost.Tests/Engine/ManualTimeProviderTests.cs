using FedServerless.Testing;

namespace FedServerless.LocalHost.Tests.Engine;

public sealed class ManualTimeProviderTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly List<string> _fired = [];

    [Fact]
    public void Advance_SeveralTimers_FireInOrderOfDueTimeAtTheirTime()
    {
        var start = _time.GetUtcNow();
        using var late = Timer("late", 20);
        using var early = Timer("early", 10);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal([$"early {start.AddSeconds(10):O}", $"late {start.AddSeconds(20):O}"], _fired);
        Assert.Equal(start.AddSeconds(30), _time.GetUtcNow());
    }

    [Fact]
    public void Advance_JustBeforeDue_DoesNotFire()
    {
        using var timer = Timer("x", 10);
        _time.Advance(TimeSpan.FromSeconds(10) - TimeSpan.FromTicks(1));
        Assert.Empty(_fired);
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.Single(_fired);
    }

    [Fact]
    public void Advance_PeriodicTimer_FiresEachPeriod()
    {
        using var timer = _time.CreateTimer(_ => _fired.Add("tick"), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(3, _fired.Count);
    }

    [Fact]
    public void Dispose_Timer_NeverFires()
    {
        Timer("x", 10).Dispose();
        Assert.Null(_time.NextDue);
        _time.Advance(TimeSpan.FromDays(1));
        Assert.Empty(_fired);
    }

    [Fact]
    public async Task TaskDelay_OnThisClock_EndsWhenItIsAdvanced()
    {
        var delay = Task.Delay(TimeSpan.FromDays(2), _time);
        Assert.False(delay.IsCompleted);
        _time.Advance(TimeSpan.FromDays(2));
        await delay;
    }

    private ITimer Timer(string name, int seconds) => _time.CreateTimer(
        _ => _fired.Add($"{name} {_time.GetUtcNow():O}"), null, TimeSpan.FromSeconds(seconds), Timeout.InfiniteTimeSpan);
}
