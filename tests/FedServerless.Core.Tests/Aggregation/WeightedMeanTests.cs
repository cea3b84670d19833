using System.Runtime.InteropServices;
using FedServerless.Aggregation;
using FedServerless.Core.Tests.Numerics;
using FedServerless.Core.Tests.Oracles;

namespace FedServerless.Core.Tests.Aggregation;

public class WeightedMeanTests
{
    private const double Weight = 1234.5678901234567;

    public static TheoryData<int> Lengths => Vectors.Lengths;

    [Fact]
    public void Complete_TwoClients_IsTheMeanByHand()
    {
        var sum = new double[2];
        WeightedMean.Accumulate([1f, -4f], 1, sum);
        WeightedMean.Accumulate([5f, 8f], 3, sum);

        WeightedMean.Complete(sum, 4);

        Assert.Equal([4.0, 5.0], sum);
    }

    [Fact]
    public void Complete_AgainstExactFractions_StaysWithinTheStatedBound()
    {
        foreach (var oracle in Oracle.Load<WeightedMeanOracle>("weighted_mean.json"))
        {
            var sum = new double[oracle.Mean.Length];
            foreach (var (update, weight) in oracle.Updates.Zip(oracle.Weights))
            {
                WeightedMean.Accumulate(update, weight, sum);
            }

            WeightedMean.Complete(sum, oracle.Weights.Sum());

            // docs/maths/aggregation.md: n products, n additions and a division, each within 2^-53.
            var bound = (oracle.Weights.Length + 2) * Math.ScaleB(1, -53);
            Assert.All(sum.Index(), mean =>
                Assert.True(Math.Abs(mean.Item - oracle.Mean[mean.Index]) <= bound * oracle.Magnitude[mean.Index]));
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Accumulate_AnyLength_HasTheBytesOfTheScalarTwin(int length)
    {
        var update = Vectors.Wild(length, seed: length);
        var (actual, expected) = Sums(length);

        WeightedMean.Accumulate(update, Weight, actual);

        Assert.Equal(Vectors.Bits(Twin(update, expected)), Vectors.Bits(actual));
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void TryAccumulateFloat32_MisalignedBytes_HasTheBytesOfTheScalarTwin(int length)
    {
        var update = Vectors.Wild(length, seed: length);
        var (actual, expected) = Sums(length);

        Assert.True(WeightedMean.TryAccumulateFloat32(Vectors.Misaligned(MemoryMarshal.AsBytes(update.AsSpan())), Weight, actual));

        Assert.Equal(Vectors.Bits(Twin(update, expected)), Vectors.Bits(actual));
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void TryAccumulateFloat16_MisalignedBytes_HasTheBytesOfTheScalarTwin(int length)
    {
        Half[] update = [.. Vectors.Mild(length, seed: length).Select(value => (Half)(value * MathF.Pow(10, (value * 7) - 3)))];
        var (actual, expected) = Sums(length);

        Assert.True(WeightedMean.TryAccumulateFloat16(Vectors.Misaligned(MemoryMarshal.AsBytes(update.AsSpan())), Weight, actual));

        Assert.Equal(Vectors.Bits(Twin([.. update.Select(value => (float)value)], expected)), Vectors.Bits(actual));
    }

    [Fact]
    public void TryAccumulateFloat16_EveryFinitePattern_DecodesExactly()
    {
        Half[] all = [.. Enumerable.Range(0, 1 << 16).Select(bits => BitConverter.UInt16BitsToHalf((ushort)bits)).Where(Half.IsFinite)];
        var sum = new double[all.Length];
        sum.AsSpan().Fill(-0.0);

        Assert.True(WeightedMean.TryAccumulateFloat16(MemoryMarshal.AsBytes(all.AsSpan()), 1, sum));

        Assert.Equal(Vectors.Bits(all.Select(half => (double)half).ToArray().AsSpan()), Vectors.Bits(sum));
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void TryAccumulateInt8_AnyLength_RoundsTheProductToFloat32First(int length)
    {
        const float scale = 0.1f;
        var random = new Random(length);
        sbyte[] levels = [.. Enumerable.Range(0, length).Select(_ => (sbyte)random.Next(-127, 128))];
        var (actual, expected) = Sums(length);

        Assert.True(WeightedMean.TryAccumulateInt8(scale, levels, Weight, actual));

        Assert.Equal(Vectors.Bits(Twin([.. levels.Select(level => scale * level)], expected)), Vectors.Bits(actual));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void TryAccumulateFloat32_OneValueNotFinite_IsRefusedAtEveryPlace(float poison)
    {
        for (var place = 0; place < 67; place++)
        {
            var update = Vectors.Mild(67, seed: 1);
            update[place] = poison;
            Assert.False(WeightedMean.TryAccumulateFloat32(MemoryMarshal.AsBytes(update.AsSpan()), 1, new double[67]));
        }
    }

    [Theory]
    [InlineData(0x7C00)]
    [InlineData(0xFC00)]
    [InlineData(0x7C01)]
    [InlineData(0xFFFF)]
    public void TryAccumulateFloat16_OneValueNotFinite_IsRefusedAtEveryPlace(int poison)
    {
        for (var place = 0; place < 67; place++)
        {
            var update = new ushort[67];
            update[place] = (ushort)poison;
            Assert.False(WeightedMean.TryAccumulateFloat16(MemoryMarshal.AsBytes(update.AsSpan()), 1, new double[67]));
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(-1f)]
    [InlineData(-0f)]
    [InlineData(float.MaxValue)]
    public void TryAccumulateInt8_IllegalScale_IsRefused(float scale) =>
        Assert.False(WeightedMean.TryAccumulateInt8(scale, [1], 1, new double[1]));

    [Fact]
    public void TryAccumulateInt8_ScaleAtAndAboveTheLargest_IsTakenAndRefused()
    {
        // The quotient itself was rounded up.
        var largest = MathF.BitDecrement(float.MaxValue / 127);

        Assert.True(WeightedMean.TryAccumulateInt8(largest, [127], 1, new double[1]));
        Assert.False(WeightedMean.TryAccumulateInt8(MathF.BitIncrement(largest), [127], 1, new double[1]));
    }

    [Fact]
    public void TryAccumulateInt8_OneLevelMinus128_IsRefusedAtEveryPlace()
    {
        for (var place = 0; place < 67; place++)
        {
            var levels = Enumerable.Repeat((sbyte)-127, 67).ToArray();
            Assert.True(WeightedMean.TryAccumulateInt8(1, levels, 1, new double[67]));
            levels[place] = sbyte.MinValue;
            Assert.False(WeightedMean.TryAccumulateInt8(1, levels, 1, new double[67]));
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public void TryAccumulate_LengthThatDoesNotFit_IsRefused(int surplus)
    {
        var sum = new double[8];

        Assert.False(WeightedMean.TryAccumulateFloat32(new byte[32 + surplus], 1, sum));
        Assert.False(WeightedMean.TryAccumulateFloat16(new byte[16 + surplus], 1, sum));
        Assert.False(WeightedMean.TryAccumulateInt8(1, new sbyte[8 + surplus], 1, sum));
        Assert.Throws<ArgumentOutOfRangeException>(() => WeightedMean.Accumulate(new float[8 + surplus], 1, sum));
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Complete_AnyLength_HasTheBytesOfTheScalarTwin(int length)
    {
        var (actual, expected) = Sums(length);

        WeightedMean.Complete(actual, Weight);

        Assert.Equal(Vectors.Bits(expected.Select(value => value / Weight).ToArray().AsSpan()), Vectors.Bits(actual));
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(-1.0)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Complete_TotalWeightNotPositiveAndFinite_Throws(double total) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => WeightedMean.Complete(new double[1], total));

    // PITFALLS 38.
    [Fact]
    public void Accumulate_SixteenMillionAndOne_KeepsWhatFloat32WouldLose()
    {
        var sum = new double[] { 1 << 24 };

        WeightedMean.Accumulate([1f], 1, sum);

        Assert.Equal(16_777_217, sum[0]);
    }

    // The product is rounded before it is added: a fused multiply-add would keep 2^-60 and give another last bit.
    [Fact]
    public void Accumulate_ProductThatNeedsRounding_IsNotFused()
    {
        var weight = 1 + Math.ScaleB(1, -52);
        var value = 1 + MathF.ScaleB(1, -23);
        var sum = Enumerable.Repeat(-1.0, 32).ToArray();

        WeightedMean.Accumulate(Enumerable.Repeat(value, 32).ToArray(), weight, sum);

        var product = weight * value;
        Assert.NotEqual(Math.FusedMultiplyAdd(weight, value, -1), product - 1);
        Assert.All(sum, actual => Assert.Equal(product - 1, actual));
    }

    private static double[] Twin(float[] update, double[] sum)
    {
        for (var i = 0; i < update.Length; i++)
        {
            var product = Weight * update[i];
            sum[i] += product;
        }

        return sum;
    }

    private static (double[] Actual, double[] Expected) Sums(int length)
    {
        double[] sums = [.. Vectors.Mild(length, seed: 77).Select(value => value * 1e3 / 7)];
        return (sums, (double[])sums.Clone());
    }

    private sealed record WeightedMeanOracle(double[] Weights, float[][] Updates, double[] Mean, double[] Magnitude);
}
