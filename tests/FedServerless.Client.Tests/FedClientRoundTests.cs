using FedServerless.Client.Tests.Support;

namespace FedServerless.Client.Tests;

public sealed class FedClientRoundTests
{
    [Fact]
    public async Task RunOnceAsync_Selected_CommitsTheTrainedUpdate()
    {
        using var device = new Device();

        var step = await device.StepAsync();

        Assert.Equal(FedStepOutcome.Committed, step.Outcome);
        Assert.Equal(1, device.Fits);
        device.AssertCommitted();
    }
}
