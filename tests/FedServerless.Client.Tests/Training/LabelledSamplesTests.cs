using FedServerless.Client.Training;

namespace FedServerless.Client.Tests.Training;

public sealed class LabelledSamplesTests
{
    [Theory]
    [InlineData(new[] { 1f, 2, 3 }, new[] { 0, 1 }, "need 4 values")]
    [InlineData(new[] { 1f, 2, 3, float.NaN }, new[] { 0, 1 }, "Feature 1 of sample 1")]
    [InlineData(new[] { 1f, float.PositiveInfinity, 3, 4 }, new[] { 0, 1 }, "Feature 1 of sample 0")]
    [InlineData(new[] { 1f, 2, 3, 4 }, new[] { 0, 3 }, "label of sample 1 is 3")]
    [InlineData(new[] { 1f, 2, 3, 4 }, new[] { -1, 0 }, "label of sample 0 is -1")]
    public void Constructor_Illegal_ThrowsNamingTheSample(float[] features, int[] labels, string expected)
    {
        var failure = Assert.Throws<ArgumentException>(() => new LabelledSamples(features, labels, 2, 3));
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_NoSample_IsEmpty() => Assert.Equal(0, new LabelledSamples([], [], 2, 3).Count);

    [Fact]
    public void Subset_RepeatedAndReordered_CopiesInOrder()
    {
        var subset = new LabelledSamples([1, 2, 3, 4], [0, 1], 2, 2).Subset([1, 0, 1]);

        Assert.Equal([1, 0, 1], subset.Labels.ToArray());
        Assert.Equal([3f, 4f], subset.Features(2).ToArray());
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(2)]
    public void Features_UnknownSample_Throws(int sample) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new LabelledSamples([1, 2], [0, 1], 1, 2).Features(sample).Length);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.2, 2)]
    [InlineData(0.25, 3)]
    [InlineData(1, 10)]
    public void Split_AnyShare_HoldsOutThatManyAndLosesNone(double share, int heldOut)
    {
        var samples = new LabelledSamples([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [0, 1, 0, 1, 0, 1, 0, 1, 0, 1], 1, 2);

        var (training, held) = samples.Split(share, seed: 4);

        Assert.Equal(heldOut, held.Count);
        Assert.Equal(
            Enumerable.Range(0, 10).Select(i => (float)i),
            Enumerable.Range(0, training.Count).Select(i => training.Features(i)[0])
                .Concat(Enumerable.Range(0, held.Count).Select(i => held.Features(i)[0])).Order());
    }

    [Theory]
    [InlineData(-0.01)]
    [InlineData(1.01)]
    [InlineData(double.NaN)]
    public void Split_ShareOutOfRange_Throws(double share) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new LabelledSamples([1], [0], 1, 2).Split(share, 1));
}
