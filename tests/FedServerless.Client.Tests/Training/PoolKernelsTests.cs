using System.Numerics;
using FedServerless.Client.Training;
using FedServerless.Numerics;

namespace FedServerless.Client.Tests.Training;

public sealed class PoolKernelsTests
{
    public static TheoryData<int> Channels => [1, 2, 3, Vector<float>.Count - 1, Vector<float>.Count, Vector<float>.Count + 1, (2 * Vector<float>.Count) + 3];

    // A scalar twin on whole numbers, where ties and zeros are many and sums exact.
    [Theory]
    [MemberData(nameof(Channels))]
    public void ForwardAndBackward_AnyChannels_AreTheirScalarTwin(int channels)
    {
        var random = new DeterministicRandom(channels);
        for (var turn = 0; turn < 50; turn++)
        {
            var (top, bottom, bias) = (Draw(random, 2 * channels), Draw(random, 2 * channels), Draw(random, channels));
            var (delta, before) = (Draw(random, channels), Draw(random, channels));
            var (pooled, topDelta, bottomDelta, biasGradient) = (new float[channels], new float[2 * channels], new float[2 * channels], (float[])before.Clone());

            PoolKernels.Forward(top, bottom, bias, pooled);
            PoolKernels.Backward(top, bottom, bias, delta, topDelta, bottomDelta, biasGradient);

            for (var c = 0; c < channels; c++)
            {
                float[] four = [top[c] + bias[c], top[channels + c] + bias[c], bottom[c] + bias[c], bottom[channels + c] + bias[c]];
                var given = four.Max() > 0 ? delta[c] : 0;
                var first = Array.IndexOf(four, four.Max());
                Assert.Equal(Math.Max(0, four.Max()), pooled[c]);
                Assert.Equal(before[c] + given, biasGradient[c]);
                Assert.Equal(
                    Enumerable.Range(0, 4).Select(i => i == first ? given : 0), [topDelta[c], topDelta[channels + c], bottomDelta[c], bottomDelta[channels + c]]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Channels))]
    public void Forward_OnePixelIsNaN_SoIsTheResult(int channels)
    {
        for (var place = 0; place < 4; place++)
        {
            var four = new float[4 * channels];
            four.AsSpan(place * channels, channels).Fill(float.NaN);
            var pooled = new float[channels];

            PoolKernels.Forward(four.AsSpan(0, 2 * channels), four.AsSpan(2 * channels), new float[channels], pooled);

            Assert.All(pooled, value => Assert.True(float.IsNaN(value)));
        }
    }

    private static float[] Draw(DeterministicRandom random, int length) => [.. Enumerable.Range(0, length).Select(_ => (float)(random.NextInt(5) - 2))];
}
