using FedServerless.Client.Tests.Support;
using FedServerless.Wire;

namespace FedServerless.Client.Tests.Adaptivity;

/// <summary>Bytes a day, and the rest between two rounds. The test's day begins at midnight.</summary>
public sealed class FedClientDayTests
{
    [Fact]
    public async Task RunOnceAsync_BytesSpent_TakesNoWorkUntilMidnight()
    {
        using var device = Make(rounds: 2);
        await device.StepAsync();

        var step = await device.StepAsync();

        Assert.Equal((FedStepOutcome.Deferred, 1), (step.Outcome, device.Fits));
        Assert.IsType<Deferred>(device.Events[^1]);
        device.Clock.Advance(TimeSpan.FromDays(1) - TimeSpan.FromSeconds(1));
        Assert.Equal((FedStepOutcome.Deferred, TimeSpan.FromSeconds(1)), await OutcomeAsync(device));
        device.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(FedStepOutcome.Committed, (await device.StepAsync()).Outcome);
    }

    [Fact]
    public async Task RunOnceAsync_BytesSpent_LooksAgainEveryHour()
    {
        using var device = Make(rounds: 2);
        await device.StepAsync();

        Assert.Equal((FedStepOutcome.Deferred, TimeSpan.FromHours(1)), await OutcomeAsync(device));
    }

    [Fact]
    public async Task RunOnceAsync_ProcessDies_RemembersWhatItMoved()
    {
        using var device = Make(rounds: 2);
        await device.StepAsync();
        device.Off();

        Assert.Equal(FedStepOutcome.Deferred, (await device.StepAsync()).Outcome);
    }

    [Fact]
    public async Task RunOnceAsync_KilledInTheMiddleOfAModel_CountsWhatHadArrived()
    {
        using var device = Make(rounds: 1, parameters: 600_000);
        using var process = new CancellationTokenSource();
        device.Server.OnKill = process.Cancel;
        var gets = 0;
        device.Server.FaultAt = (_, name) => name != "GET /models/1" ? null : ++gets == 1 ? new Fault.BreakOff(1_500_000) : new Fault.Kill(After: false);
        device.Options = device.Options with { MaxBytesPerDay = device.ModelBytes.Length };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => device.StepAsync(process.Token));
        device.Off();
        device.Server.FaultAt = (_, _) => null;

        // 900 kB are missing and as many would be left, had every byte been counted to the last: the file runs ahead, never behind.
        Assert.Equal(FedStepOutcome.Deferred, (await device.StepAsync()).Outcome);
        Assert.True((await device.OnAsync()).BytesUp == 0);
    }

    [Fact]
    public async Task RunOnceAsync_UpdateWouldNotFitTheDay_IsNotTrained()
    {
        using var device = Make(rounds: 1);
        device.Options = device.Options with { MaxBytesPerDay = device.ModelBytes.Length + 1000 };

        Assert.Equal(FedStepOutcome.Deferred, (await device.StepAsync()).Outcome);

        Assert.Equal((0, 0), (device.Fits, (await device.OnAsync()).BytesUp));
    }

    [Fact]
    public async Task RunOnceAsync_ModelWouldNotFitTheDay_IsNotFetched()
    {
        using var device = Make(rounds: 1);
        device.Options = device.Options with { MaxBytesPerDay = device.ModelBytes.Length - 1 };

        Assert.Equal(FedStepOutcome.Deferred, (await device.StepAsync()).Outcome);

        Assert.Equal(0, (await device.OnAsync()).BytesDown);
    }

    [Fact]
    public async Task RunOnceAsync_ThePlansBoundIsSmaller_ItCounts()
    {
        using var device = Make(rounds: 3, choice: new LeaseChoice(3, 32, 0, 30_000));
        device.Options = device.Options with { MaxBytesPerDay = null };
        await device.StepAsync();

        var step = await device.StepAsync();

        Assert.Equal(FedStepOutcome.Deferred, step.Outcome);
        Assert.Contains("of 30000 bytes a day", step.Reason, StringComparison.Ordinal);
    }

    // The clock was two days ahead, and is set right: the device must not wait for a day that is yet to come, nor forget what it moved.
    [Fact]
    public async Task RunOnceAsync_ClockSetBack_CountsOnToday()
    {
        using var device = Make(rounds: 3);
        device.Clock.Misset(TimeSpan.FromDays(2));
        device.Server.RequireNonce = false;
        await device.StepAsync();
        device.Clock.Misset(TimeSpan.Zero);

        Assert.Equal((FedStepOutcome.Deferred, TimeSpan.FromHours(1)), await OutcomeAsync(device));

        device.Clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(FedStepOutcome.Committed, (await device.StepAsync()).Outcome);
    }

    [Fact]
    public async Task RunOnceAsync_DamagedCount_BeginsTheDayAnew()
    {
        using var device = Make(rounds: 2);
        await device.StepAsync();
        device.Off();
        await File.WriteAllTextAsync(Path.Combine(device.Folder, "day.json"), "{", TestContext.Current.CancellationToken);

        Assert.Equal(FedStepOutcome.Committed, (await device.StepAsync()).Outcome);
    }

    [Fact]
    public async Task RunOnceAsync_PlanAsksForARest_StaysAwayForItAcrossARestart()
    {
        using var device = Make(rounds: 3, choice: new LeaseChoice(3, 32, 600));
        device.Options = device.Options with { MaxBytesPerDay = null };
        await device.StepAsync();
        device.Off();

        Assert.Equal((FedStepOutcome.Deferred, TimeSpan.FromMinutes(10)), await OutcomeAsync(device));

        device.Clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(FedStepOutcome.Committed, (await device.StepAsync()).Outcome);
    }

    [Fact]
    public async Task RunOnceAsync_ClockSetBackWhileResting_RestsNoLongerThanADay()
    {
        using var device = Make(rounds: 3, choice: new LeaseChoice(3, 32, 600));
        device.Options = device.Options with { MaxBytesPerDay = null };
        device.Clock.Misset(TimeSpan.FromDays(3));
        await device.StepAsync();
        device.Clock.Misset(TimeSpan.Zero);

        Assert.Equal(FedStepOutcome.Committed, (await device.StepAsync()).Outcome);
    }

    [Fact]
    public async Task RunOnceAsync_Lease_ItsChoiceIsInTheReceipt()
    {
        var choice = new LeaseChoice(3, 32, 0, 1 << 30);
        using var device = Make(rounds: 1, choice: choice);

        await device.StepAsync();

        Assert.Equal(choice, device.Server.Receipts[0].Choice);
    }

    [Theory]
    [InlineData(-1, null)]
    [InlineData(86_401, null)]
    [InlineData(double.NaN, null)]
    [InlineData(0, 0L)]
    public async Task RunOnceAsync_ChoiceOutOfBounds_GivesUp(double rest, long? bytes)
    {
        using var device = Make(rounds: 1, choice: new LeaseChoice(3, 32, 0));
        device.Server.Rewrite = (name, response) => name == "POST check-in" && response.IsSuccessStatusCode
            ? FakeServer.Text(FakeServer.TextOf(response)
                .Replace("\"restSeconds\":0", $"\"restSeconds\":{(double.IsNaN(rest) ? "\"NaN\"" : rest)}{(bytes is null ? "" : ",\"maxBytesPerDay\":0")}", StringComparison.Ordinal), response)
            : response;

        if (double.IsNaN(rest))
        {
            await Assert.ThrowsAsync<FedClientException>(() => device.StepAsync());
            return;
        }

        Assert.Equal(FedStepOutcome.GaveUp, (await device.StepAsync()).Outcome);
    }

    private static async Task<(FedStepOutcome, TimeSpan)> OutcomeAsync(Device device)
    {
        var step = await device.StepAsync();
        return (step.Outcome, step.Pause);
    }

    /// <summary>A device whose bound is spent by one round: 12 kB of model and 12 kB of update.</summary>
    private static Device Make(int rounds, int parameters = 3000, LeaseChoice? choice = null)
    {
        var device = new Device(parameters);
        device.Lease = device.Lease with { Choice = choice, RemainingSeconds = 3 * 24 * 3600 };
        device.Offer([.. Enumerable.Range(1, rounds).Select(round => device.Lease with { Round = round })]);
        device.Options = device.Options with { MaxBytesPerDay = 30_000 };
        return device;
    }
}
