using FedServerless.Client.Tests.Support;

namespace FedServerless.Client.Tests.Adaptivity;

public sealed class FedClientConditionsTests
{
    public static TheoryData<DeviceConditions, string?> Cases => new()
    {
        { new(), null },
        { new() { IsMetered = true }, "the network is metered" },
        { new() { IsMetered = false, IsCharging = true, IsIdle = true }, null },
        { new() { Battery = 0.29 }, "the battery is at 29 % and not charging" },
        { new() { Battery = 0.29, IsCharging = false }, "the battery is at 29 % and not charging" },
        { new() { Battery = 0.29, IsCharging = true }, null },
        { new() { Battery = 0.3 }, null },
        { new() { Battery = double.NaN }, "the battery is at" },
        { new() { IsIdle = false }, "the device is in use" },
    };

    [Theory]
    [MemberData(nameof(Cases), DisableDiscoveryEnumeration = true)]
    public async Task RunOnceAsync_Conditions_DecideBeforeAnythingIsAsked(DeviceConditions conditions, string? reason)
    {
        using var device = new Device();
        device.Options = device.Options with { Conditions = () => conditions };

        var step = await device.StepAsync();

        Assert.Equal(reason is null ? FedStepOutcome.Committed : FedStepOutcome.Deferred, step.Outcome);
        Assert.Equal(reason is not null, device.Events is [Deferred]);
        if (reason is not null)
        {
            Assert.StartsWith(reason, step.Reason, StringComparison.Ordinal);
            Assert.Equal(TimeSpan.FromMinutes(5), step.Pause);
            Assert.DoesNotContain(device.Server.Log, name => name.Contains("check-in", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task RunOnceAsync_EverythingAllowed_WorksAnyhow()
    {
        using var device = new Device();
        device.Options = device.Options with
        {
            Conditions = () => new DeviceConditions { IsMetered = true, Battery = 0, IsIdle = false },
            UseMeteredNetworks = true,
            MinBattery = 0,
            TrainWhenBusy = true,
        };

        Assert.Equal(FedStepOutcome.Committed, (await device.StepAsync()).Outcome);
    }

    [Fact]
    public async Task RunOnceAsync_CallbackThrows_PutsWorkOffAndSaysWhy()
    {
        using var device = new Device();
        device.Options = device.Options with { Conditions = () => throw new InvalidOperationException("no battery driver") };

        var step = await device.StepAsync();

        Assert.Equal((FedStepOutcome.Deferred, "the host could not say how the device is doing: no battery driver"), (step.Outcome, step.Reason));
    }

    [Fact]
    public async Task RunOnceAsync_MeteredAfterTraining_SendsTheSameUpdateLater()
    {
        using var device = new Device();
        var metered = false;
        device.Options = device.Options with { Conditions = () => new DeviceConditions { IsMetered = metered } };
        device.OnEvent = happened => metered |= happened is Fitted;
        Assert.Equal(FedStepOutcome.Deferred, (await device.StepAsync()).Outcome);
        Assert.DoesNotContain(device.Server.Log, name => name.Contains("uploads", StringComparison.Ordinal));
        metered = false;

        await device.StepAsync();

        device.AssertCommitted();
        Assert.Equal(1, device.Fits);
    }

    [Fact]
    public async Task RunAsync_ConditionsGetBetter_WorksThen()
    {
        using var device = new Device();
        using var process = new CancellationTokenSource();
        var asked = 0;
        device.Options = device.Options with { Conditions = () => new DeviceConditions { IsIdle = ++asked > 3 } };
        device.OnEvent = happened =>
        {
            if (happened is Committed)
            {
                process.Cancel();
            }
        };

        await (await device.OnAsync(TestContext.Current.CancellationToken)).RunAsync(device.Trainer, process.Token);

        // Jitter is half of its quarter in these tests.
        Assert.Equal(3, device.Pauses.Count(pause => pause == TimeSpan.FromMinutes(5) * 1.125));
        device.AssertCommitted();
    }
}
