using FedServerless.Aggregation;
using FedServerless.Compression;
using FedServerless.Numerics;
using FsCheck;
using FsCheck.Fluent;

namespace FedServerless.Core.Tests.Laws;

/// <summary>Algebraic laws, on inputs that FsCheck makes up: the same ones on every run.</summary>
public sealed class LawTests
{
    private static readonly Config Fixed = Config.QuickThrowOnFailure.WithMaxTest(200).WithReplay(0x5EED, 0x5EED1);

    private static readonly Gen<float> Finite = Gen.Choose(int.MinValue, int.MaxValue)
        .Select(BitConverter.Int32BitsToSingle)
        .Where(value => float.IsFinite(value) && MathF.Abs(value) < 1e30f);

    private static readonly Gen<float[]> Vector = Finite.ArrayOf().Where(values => values.Length > 0);

    [Fact]
    public void WeightedMean_CutAnywhere_GivesTheSameBytes()
    {
        var cases = from values in Vector from other in Finite from cut in Gen.Choose(0, values.Length) select (values, other, cut);
        Prop.ForAll(cases.ToArbitrary(), input =>
        {
            var second = input.values.Select(value => value * 0.5f + input.other).Where(float.IsFinite).ToArray();
            if (second.Length != input.values.Length)
            {
                return true;
            }

            var whole = Mean(input.values, second);
            double[] pieces = [.. Mean(input.values[..input.cut], second[..input.cut]), .. Mean(input.values[input.cut..], second[input.cut..])];
            return whole.AsSpan().SequenceEqual(pieces);
        }).Check(Fixed);
    }

    [Fact]
    public void WeightedMean_OneClient_IsItsUpdate() =>
        Prop.ForAll(Vector.ToArbitrary(), values => Mean(values, values).Select(mean => (float)mean).SequenceEqual(values)).Check(Fixed);

    [Fact]
    public void Int8_EncodedAndDecoded_IsWithinHalfAScale() =>
        Prop.ForAll(Vector.ToArbitrary(), values =>
        {
            // scale = max|x| / 127; rounding to nearest leaves half a scale, and float32 a few ulps of the product.
            var scale = values.Max(MathF.Abs) / 127.0;
            return values.Zip(RoundTrip(UpdateCodecs.Int8, values)).All(pair => Math.Abs(pair.First - (double)pair.Second) <= scale * 0.50001 + 1e-44);
        }).Check(Fixed);

    [Fact]
    public void Float32_EncodedAndDecoded_IsTheSameBits() =>
        Prop.ForAll(Vector.ToArbitrary(), values => RoundTrip(UpdateCodecs.Float32, values).SequenceEqual(values)).Check(Fixed);

    [Fact]
    public void Float16_EncodedTwice_ChangesNothingTheSecondTime() =>
        Prop.ForAll(Vector.ToArbitrary(), values =>
        {
            var once = RoundTrip(UpdateCodecs.Float16, values);
            return RoundTrip(UpdateCodecs.Float16, once).SequenceEqual(once);
        }).Check(Fixed);

    [Fact]
    public void Shuffle_AnyValues_IsAPermutation()
    {
        var cases = from values in Gen.Choose(0, 50).ArrayOf() from seed in Gen.Choose(int.MinValue, int.MaxValue) select (values, seed);
        Prop.ForAll(cases.ToArbitrary(), input =>
        {
            var shuffled = (int[])input.values.Clone();
            new DeterministicRandom(input.seed).Shuffle(shuffled.AsSpan());
            return shuffled.Order().SequenceEqual(input.values.Order());
        }).Check(Fixed);
    }

    [Fact]
    public void RunningSumOfSquares_InAnyPieces_GivesTheSameBits()
    {
        var cases = from values in Vector from cut in Gen.Choose(0, values.Length) select (values, cut);
        Prop.ForAll(cases.ToArbitrary(), input =>
        {
            var running = new RunningSumOfSquares();
            running.Add(input.values.AsSpan(0, input.cut));
            running.Add(input.values.AsSpan(input.cut));
            return running.Total.Equals(Reductions.SumOfSquares(input.values));
        }).Check(Fixed);
    }

    private static double[] Mean(float[] first, float[] second)
    {
        var aggregation = Aggregators.Find(Aggregators.WeightedMean).Begin(first.Length);
        aggregation.Add(first, 3);
        aggregation.Add(second, 5);
        var mean = new double[first.Length];
        aggregation.Complete(mean);
        return mean;
    }

    private static float[] RoundTrip(string name, float[] values)
    {
        var codec = UpdateCodecs.All.Get(name);
        var bytes = new byte[codec.EncodedLength(values.Length).Max];
        var written = codec.Encode(values, bytes);
        var decoded = new float[values.Length];
        Assert.True(codec.TryDecode(bytes.AsSpan(0, written), decoded));
        return decoded;
    }
}
