using FedServerless.Client.Tests.Support;

namespace FedServerless.Client.Tests;

/// <summary>A clock that is set a day off, ahead or back, while a round is on: nothing is lost but perhaps a training.</summary>
public sealed class FedClientBadClockTests
{
    [Theory]
    [InlineData(24, false)]
    [InlineData(24, true)]
    [InlineData(-24, false)]
    [InlineData(-24, true)]
    public async Task RunOnceAsync_ClockSetADayOffBetweenTwoLives_CommitsOneUpdate(int hours, bool after)
    {
        var requests = await RequestsOfARoundAsync();
        for (var at = 0; at < requests; at++)
        {
            using var device = new Device();
            using var process = new CancellationTokenSource();
            device.Server.OnKill = process.Cancel;
            device.Server.FaultAt = (request, _) => request == at ? new Fault.Kill(after) : null;
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => device.StepAsync(process.Token));
            device.Off();
            device.Clock.Misset(TimeSpan.FromHours(hours));

            await device.UntilCommittedAsync();

            device.AssertCommitted();
            Assert.InRange(device.Fits, 1, 2);
        }
    }

    [Theory]
    [InlineData(24)]
    [InlineData(-24)]
    public async Task RunOnceAsync_ClockSetADayOffWhileTraining_CommitsWithinTheRound(int hours)
    {
        using var device = new Device();
        device.OnEvent = happened =>
        {
            if (happened is Fitted)
            {
                device.Clock.Misset(TimeSpan.FromHours(hours));
            }
        };

        await device.StepAsync();

        device.AssertCommitted();
        Assert.Equal(1, device.Fits);
    }

    private static async Task<int> RequestsOfARoundAsync()
    {
        using var device = new Device();
        await device.StepAsync();
        return device.Server.Log.Count;
    }
}
