using FedServerless.Numerics;

namespace FedServerless.Core.Tests.Numerics;

/// <summary>The vectors marked "published" are the generators' own; the others come from an implementation in Python.</summary>
public sealed class DeterministicRandomTests
{
    [Fact]
    public void NextUInt64_StateOneToFour_GivesThePublishedVectorOfXoshiro256StarStar()
    {
        var random = new DeterministicRandom(1, 2, 3, 4);

        Assert.Equal(
            [
                11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600, 16172922978634559625,
                8476171486693032832, 10595114339597558777, 2904607092377533576,
            ],
            Draw(random, 10));
    }

    [Fact]
    public void SplitMix64_Seed1234567_GivesThePublishedVector()
    {
        ulong state = 1234567;
        ulong[] drawn = [Step(), Step(), Step(), Step(), Step()];

        Assert.Equal(
            [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821], drawn);

        ulong Step() => DeterministicRandom.SplitMix64(ref state);
    }

    [Theory]
    [InlineData(0, 11091344671253066420, 13793997310169335082, 1900383378846508768)]
    [InlineData(42, 1546998764402558742, 6990951692964543102, 12544586762248559009)]
    [InlineData(-1, 10328197420357168392, 14156678507024973869, 9357971779955476126)]
    public void NextUInt64_Seeded_GivesTheReferenceValues(long seed, ulong first, ulong second, ulong third) =>
        Assert.Equal([first, second, third], Draw(new DeterministicRandom(seed), 3));

    [Fact]
    public void Derive_SeedPurposePath_GivesTheReferenceValues() => Assert.Equal(
        [10144188086444646581, 2594346240731666781, 6196373155800203998],
        Draw(DeterministicRandom.Derive(7, "selection", 3), 3));

    [Fact]
    public void DeriveSeed_NameAndPath_GivesTheReferenceValue() =>
        Assert.Equal(5340032154247579643, DeterministicRandom.DeriveSeed(7, "training", "é-1", 3, -1));

    [Fact]
    public void DeriveSeed_NeighbouringPlaces_AllDiffer()
    {
        // Without lengths in the encoding, some of these would be the same bytes.
        long[] seeds =
        [
            DeterministicRandom.DeriveSeed(1, "a"),
            DeterministicRandom.DeriveSeed(2, "a"),
            DeterministicRandom.DeriveSeed(1, "ab"),
            DeterministicRandom.DeriveSeed(1, "a", "b"),
            DeterministicRandom.DeriveSeed(1, string.Empty, "ab"),
            DeterministicRandom.DeriveSeed(1, "a", 0),
            DeterministicRandom.DeriveSeed(1, "a", 0, 0),
            DeterministicRandom.DeriveSeed(1, "a", 1, 0),
            DeterministicRandom.DeriveSeed(1, "a", 0, 1),
            DeterministicRandom.DeriveSeed(1, "a", "b", 0),
        ];

        Assert.Equal(seeds.Length, seeds.Distinct().Count());
    }

    [Fact]
    public void NextInt_VariousBounds_GivesTheReferenceValues()
    {
        var random = new DeterministicRandom(42);

        Assert.Equal([0, 3, 6, 9, 9, 7, 7, 8, 7, 5], Enumerable.Range(0, 10).Select(_ => random.NextInt(10)));
        Assert.Equal([1465556377, 624225739, 1720186579], Enumerable.Range(0, 3).Select(_ => random.NextInt(int.MaxValue)));

        // About a quarter of all draws is refused for this bound.
        Assert.Equal(
            [345113113, 763591439, 942495386, 914173141, 759715793, 99707732],
            Enumerable.Range(0, 6).Select(_ => random.NextInt((1 << 30) + 1)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    public void NextInt_BoundBelowOne_Throws(int bound) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new DeterministicRandom(0).NextInt(bound));

    [Fact]
    public void NextInt_BoundOne_IsZero() => Assert.Equal(0, new DeterministicRandom(3).NextInt(1));

    [Theory]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(100)]
    public void NextInt_ManyDraws_IsUniformByChiSquare(int bound)
    {
        var random = new DeterministicRandom(5);
        var counts = new int[bound];
        var draws = bound * 2000;
        for (var i = 0; i < draws; i++)
        {
            counts[random.NextInt(bound)]++;
        }

        // Five standard deviations of chi square with bound − 1 degrees of freedom.
        var statistic = counts.Sum(count => Math.Pow(count - 2000, 2) / 2000);
        Assert.InRange(statistic, 0, bound - 1 + (5 * Math.Sqrt(2 * (bound - 1))));
    }

    [Fact]
    public void NextDouble_ManyDraws_StaysInRangeWithTheUniformMoments()
    {
        var random = new DeterministicRandom(9);
        var values = Enumerable.Range(0, 100_000).Select(_ => random.NextDouble()).ToArray();

        Assert.All(values, value => Assert.True(value is >= 0 and < 1));
        Assert.Equal(0.5, values.Average(), 0.005);
        Assert.Equal(1.0 / 12, values.Average(value => (value - 0.5) * (value - 0.5)), 0.002);
    }

    [Fact]
    public void NextDouble_IsTheUpper53BitsOfADraw() =>
        Assert.Equal((1546998764402558742UL >> 11) / 9007199254740992.0, new DeterministicRandom(42).NextDouble());

    [Fact]
    public void Shuffle_TenValues_GivesTheReferencePermutation()
    {
        int[] values = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
        new DeterministicRandom(42).Shuffle<int>(values);
        Assert.Equal([9, 1, 4, 2, 8, 7, 6, 5, 3, 0], values);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Shuffle_FewerThanTwoValues_DrawsNothing(int length)
    {
        var random = new DeterministicRandom(42);
        random.Shuffle<int>(new int[length]);
        Assert.Equal(1546998764402558742UL, random.NextUInt64());
    }

    [Fact]
    public void Shuffle_ThreeValues_MakesTheSixPermutationsEquallyOften()
    {
        var random = new DeterministicRandom(11);
        var counts = new Dictionary<string, int>();
        for (var i = 0; i < 60_000; i++)
        {
            char[] values = ['a', 'b', 'c'];
            random.Shuffle<char>(values);
            var key = new string(values);
            counts[key] = counts.GetValueOrDefault(key) + 1;
        }

        Assert.Equal(6, counts.Count);
        Assert.All(counts.Values, count => Assert.InRange(count, 9500, 10_500));
    }

    [Fact]
    public void NextGaussian_Seeded_GivesTheReferenceValues()
    {
        // Python's statistics.NormalDist().inv_cdf is the same algorithm over the C library's logarithm.
        var random = new DeterministicRandom(42);
        double[] expected = [-1.379547725306031, -0.3081601135037895, 0.46782019433652505, 1.4373657007633585, 2.4000647622158664];
        Assert.All(expected, value => Assert.Equal(value, random.NextGaussian(), 1e-15));
    }

    [Fact]
    public void NextGaussian_ManyDraws_HasTheNormalMomentsAndTails()
    {
        var random = new DeterministicRandom(13);
        var values = Enumerable.Range(0, 200_000).Select(_ => random.NextGaussian()).ToArray();

        Assert.Equal(0, values.Average(), 0.01);
        Assert.Equal(1, values.Average(value => value * value), 0.015);
        Assert.Equal(0, values.Average(value => value * value * value), 0.03);
        Assert.Equal(3, values.Average(value => value * value * value * value), 0.1);
        Assert.Equal(0.0026998, values.Count(value => Math.Abs(value) > 3) / 200_000.0, 0.0006);
    }

    [Fact]
    public void NextGaussian_TenThousandDraws_KeepsTheseBits()
    {
        // Any change of a last bit on any machine shows here; the value is that of a transcription in Python.
        var random = new DeterministicRandom(17);
        var bits = 0UL;
        for (var i = 0; i < 10_000; i++)
        {
            bits = (bits * 31) + BitConverter.DoubleToUInt64Bits(random.NextGaussian());
        }

        Assert.Equal(14907386956883864489UL, bits);
    }

    private static ulong[] Draw(DeterministicRandom random, int count)
    {
        var drawn = new ulong[count];
        for (var i = 0; i < count; i++)
        {
            drawn[i] = random.NextUInt64();
        }

        return drawn;
    }
}
