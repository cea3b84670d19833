using FedServerless.Client.Tests.Support;
using FedServerless.Wire;

namespace FedServerless.Client.Tests;

/// <summary>PITFALLS 7, 18, 49: what a private round asks of the device before anything leaves it.</summary>
public sealed class FedClientPrivateRoundTests
{
    private static readonly double Norm = Length([.. Enumerable.Range(0, 3000).Select(Device.Delta)]);

    [Theory]
    [InlineData(0.5, 0.5, false)]
    [InlineData(2, 1, true)]
    public async Task RunOnceAsync_PrivateRound_ClipsTheWholeDeltaAndSaysWhetherItWasShort(double clip, double sent, bool within)
    {
        using var device = new Device();

        await CommitAsync(device, 1, clip);

        Assert.Equal(sent * Norm, Length(device.Sent(1)), 1e-5 * Norm);
        var receipt = device.Server.Receipts.Single();
        Assert.Equal((within, 1L, 0), (receipt.WithinClip!.Value, receipt.Samples, receipt.Metrics.Count));
    }

    [Fact]
    public async Task RunOnceAsync_PrivateRoundWithResidual_ClipsTheDeltaWithWhatWasLeftOut()
    {
        using var device = new Device();
        device.Lease = device.Lease with { Update = device.Lease.Update with { Codec = "int8", ErrorFeedback = true } };
        await CommitAsync(device, 1, clip: 1.5);
        device.Server.Fates[1] = ReceiptStates.Abandoned;

        await CommitAsync(device, 2, clip: 1.5);

        // The delta alone is within the clip, twice it is not; int8 rounds each value by half a level at the most.
        Assert.Equal(Norm, Length(device.Sent(1)), 0.02 * Norm);
        Assert.Equal(1.5 * Norm, Length(device.Sent(2)), 0.02 * Norm);
        Assert.False(device.Server.Receipts.Single(receipt => receipt.Round == 2).WithinClip);
    }

    private static async Task CommitAsync(Device device, int round, double clip)
    {
        device.Offer(device.Lease with { Round = round, Privacy = new LeasePrivacy(clip * Norm, WantsClipBit: true) });
        await device.UntilCommittedAsync(most: 1);
    }

    private static double Length(float[] values) => Math.Sqrt(values.Sum(value => (double)value * value));
}
