using FedServerless.Client.Tests.Support;
using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Client.Tests;

/// <summary>
/// PITFALLS 49: a biased compressor without error feedback does not converge. One coordinate is loud, so that int8 rounds the steps of
/// the others to nothing; they want to go from 0 to 1.
/// </summary>
public sealed class ErrorFeedbackConvergenceTests
{
    private const int Rounds = 24;
    private const float Step = 0.3f;
    private const float Loud = 100;

    /// <summary>
    /// With feedback the model plus the residual moves exactly as without a codec: sent = step + before − after telescopes. So the mean
    /// of the steps, Step · mean(1 − w), is (last − first)/Rounds of something between 0 and 2: a bound by hand, whatever the codec.
    /// </summary>
    [Fact]
    public async Task RunOnceAsync_WithErrorFeedback_QuietCoordinatesArriveInTheMean()
    {
        var (mean, last) = await TrainAsync(errorFeedback: true);

        Assert.All(mean, value => Assert.InRange(value, 1 - (2 / (Step * Rounds)), 1 + (2 / (Step * Rounds))));
        Assert.All(last, value => Assert.InRange(value, 0.5f, 1.6f));
    }

    [Fact]
    public async Task RunOnceAsync_WithoutErrorFeedback_QuietCoordinatesNeverMove()
    {
        var (mean, last) = await TrainAsync(errorFeedback: false);

        Assert.All(mean, value => Assert.Equal(0, value));
        Assert.All(last, value => Assert.Equal(0, value));
    }

    private static async Task<(float[] Mean, float[] Last)> TrainAsync(bool errorFeedback)
    {
        using var device = new Device(parameters: 8);
        var update = new UpdateSpec { Codec = "int8", BlockCoordinates = 1024, PartBytes = 256 << 10, ErrorFeedback = errorFeedback };
        device.Trainer = FedTrainer.Create(context =>
        {
            var weights = context.Model.Parameters;
            weights[0] += context.Round % 2 == 0 ? Loud : -Loud;
            for (var i = 1; i < weights.Length; i++)
            {
                weights[i] += Step * (1 - weights[i]);
            }

            return new FitResult(1);
        });
        var model = new ModelState(device.Start.Layout, new float[device.Start.Values.Length], [0]);
        var mean = new float[7];
        for (var round = 1; round <= Rounds; round++)
        {
            var bytes = ModelStateFile.ToBytes(model);
            device.Server.Models[$"/models/{round}"] = bytes;
            device.Lease = device.Lease with
            {
                Round = round,
                Update = update,
                Base = new ModelArtifact($"/models/{round}?sig=1", bytes.Length, Digest.Of(bytes), model.Layout.Digest),
            };
            device.Offer(device.Lease);
            await device.UntilCommittedAsync(most: 1);
            device.Server.Fates[round] = ReceiptStates.Included;
            var sent = device.Sent(round);
            for (var i = 0; i < sent.Length; i++)
            {
                model.Parameters[i] += sent[i];
            }

            for (var i = 0; i < mean.Length; i++)
            {
                mean[i] += model.Parameters[i + 1] / Rounds;
            }
        }

        return (mean, model.Parameters[1..].ToArray());
    }
}
