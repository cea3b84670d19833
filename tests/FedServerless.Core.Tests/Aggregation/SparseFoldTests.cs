using FedServerless.Aggregation;
using FedServerless.Compression;
using FedServerless.Core.Tests.Numerics;
using FedServerless.Numerics;
using FedServerless.Wire;

namespace FedServerless.Core.Tests.Aggregation;

/// <summary>What is folded out of encoded blocks, against the same blocks decoded and folded one coordinate at a time.</summary>
public sealed class SparseFoldTests
{
    public static TheoryData<string, int> Cases
    {
        get
        {
            var rows = new TheoryData<string, int>();
            foreach (var name in UpdateCodecs.All.Names)
            {
                foreach (var length in new[] { 1, 7, 1000, 65_536 })
                {
                    rows.Add(name, length);
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void TryAddAll_AnyCodec_HasTheBytesOfTheDecodedSum(string name, int length)
    {
        var codec = UpdateCodecs.Of(new UpdateSpec { Codec = name, Keep = 0.03, MaskSeed = 9 }).ForBlock(2);
        ReadOnlyMemory<byte>[] blocks = [.. Enumerable.Range(0, 6).Select(client => Block(codec, length, client))];
        double[] weights = [.. Enumerable.Range(0, 6).Select(client => 1 + (client * 0.37))];
        var (together, apart) = (Begin(length), Begin(length));
        var expected = new double[length];
        foreach (var (block, weight) in blocks.Zip(weights))
        {
            var decoded = new float[length];
            Assert.True(codec.TryDecode(block.Span, decoded));
            for (var i = 0; i < length; i++)
            {
                var product = weight * decoded[i];
                expected[i] += product;
            }

            Assert.True(apart.TryAdd(codec, block.Span, weight));
        }

        Assert.True(together.TryAddAll(codec, blocks, weights));

        Assert.Equal(Vectors.Bits(expected), Vectors.Bits(Sum(together)));
        Assert.Equal(Vectors.Bits(expected), Vectors.Bits(Sum(apart)));
    }

    [Fact]
    public void TryAdd_SparseBlockIsDamaged_RefusesUntilRestarted()
    {
        var codec = UpdateCodecs.All.Get(UpdateCodecs.TopKInt8);
        var block = Block(codec, 1000, 1);
        var aggregation = Begin(1000);

        Assert.True(aggregation.TryAdd(codec, block, 1));
        Assert.False(aggregation.TryAdd(codec, block.AsSpan(1), 1));
        Assert.Throws<InvalidOperationException>(() => Sum(aggregation));
        aggregation.Restart(1000);
        Assert.True(aggregation.TryAdd(codec, block, 1));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(1024)]
    [InlineData(65_536)]
    [InlineData(1_000_003)]
    public void AddSparse_PiecesOfAnyLength_HaveTheBytesOfAllValues(int piece)
    {
        var random = new Random(piece);
        var values = new float[3_000_000];
        for (var i = 0; i < 60_000; i++)
        {
            values[random.Next(values.Length)] = random.NextSingle() - 0.5f;
        }

        var (dense, sparse) = (new RunningSumOfSquares(), new RunningSumOfSquares());
        dense.Add(values);
        for (var first = 0; first < values.Length; first += piece)
        {
            var part = values.AsSpan(first, Math.Min(piece, values.Length - first)).ToArray();
            var sent = part.Index().Where(value => value.Item != 0).ToArray();
            sparse.AddSparse([.. sent.Select(value => value.Index)], [.. sent.Select(value => value.Item)], part.Length);
        }

        Assert.Equal(BitConverter.DoubleToInt64Bits(dense.Total), BitConverter.DoubleToInt64Bits(sparse.Total));
    }

    private static ISumAggregation Begin(int length) => ((ISumAggregator)Aggregators.Find(Aggregators.WeightedMean)).Begin(length);

    private static double[] Sum(ISumAggregation aggregation)
    {
        var sum = new double[aggregation.Dimension];
        aggregation.CopySum(sum);
        return sum;
    }

    private static byte[] Block(IUpdateCodec codec, int length, int client)
    {
        var block = new byte[codec.EncodedLength(length).Max];
        return block[..codec.Encode(Vectors.Mild(length, client), block, client)];
    }
}
