using System.Runtime.InteropServices;
using FedServerless.Aggregation;
using FedServerless.Compression;
using FedServerless.Core.Tests.Numerics;

namespace FedServerless.Core.Tests.Aggregation;

public class AggregatorsTests
{
    [Fact]
    public void Find_EveryName_IsThePolicyOfThatName() =>
        Assert.All(Aggregators.Names, name => Assert.Equal(name, Aggregators.Find(name).Name));

    [Fact]
    public void Find_UnknownName_ListsWhatExists()
    {
        var refusal = Assert.Throws<ArgumentException>(() => Aggregators.Find("Weighted-Mean"));

        Assert.Contains("'Weighted-Mean'", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(Aggregators.WeightedMean, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("median ")]
    public void TryFind_UnknownName_IsFalse(string? name) => Assert.False(Aggregators.TryFind(name, out _));
}

public class WeightedMeanAggregationTests
{
    private readonly IAggregation _aggregation = Aggregators.Find(Aggregators.WeightedMean).Begin(2);

    [Fact]
    public void Complete_ThreeClients_IsTheMeanByHand()
    {
        _aggregation.Add([1f, 10f], 1);
        _aggregation.Add([2f, 20f], 1);
        _aggregation.Add([6f, 60f], 2);

        Assert.Equal([3.75, 37.5], Completed());
    }

    [Fact]
    public void Complete_OneClient_IsItsUpdateWhateverItsWeight()
    {
        _aggregation.Add([0.5f, -7f], 8);

        Assert.Equal([0.5, -7.0], Completed());
    }

    [Fact]
    public void Complete_NothingAdded_Throws() => Assert.Throws<InvalidOperationException>(Completed);

    [Fact]
    public void Complete_CalledTwice_RepeatsItself()
    {
        _aggregation.Add([1f, 10f], 3);

        Assert.Equal(Completed(), Completed());
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(-1.0)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Add_WeightNotPositiveAndFinite_Throws(double weight)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => _aggregation.Add([1f, 1f], weight));
        Assert.Throws<ArgumentOutOfRangeException>(() => _aggregation.TryAdd(new Codec("own"), [1, 1], weight));
    }

    [Fact]
    public void Add_AnotherDimension_Throws() => Assert.Throws<ArgumentOutOfRangeException>(() => _aggregation.Add([1f], 1));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void Restart_AnotherRange_ForgetsTheFirst(int dimension)
    {
        _aggregation.Add([1f, 10f], 3);

        _aggregation.Restart(dimension);
        _aggregation.Add(Enumerable.Repeat(5f, dimension).ToArray(), 2);

        Assert.Equal(Enumerable.Repeat(5.0, dimension), Completed());
    }

    [Fact]
    public void Restart_NothingAddedAfter_ThrowsOnComplete()
    {
        _aggregation.Add([1f, 10f], 3);
        _aggregation.Restart(2);

        Assert.Throws<InvalidOperationException>(Completed);
    }

    [Fact]
    public void TryAdd_Float32Block_IsTheDecodedAdd()
    {
        Assert.True(_aggregation.TryAdd(new Codec(UpdateCodecs.Float32), MemoryMarshal.AsBytes<float>([1.25f, -3f]), 2));

        Assert.Equal([1.25, -3.0], Completed());
    }

    [Fact]
    public void TryAdd_Float16Block_IsTheDecodedAdd()
    {
        Assert.True(_aggregation.TryAdd(new Codec(UpdateCodecs.Float16), MemoryMarshal.AsBytes<Half>([(Half)1.25f, (Half)(-3f)]), 2));

        Assert.Equal([1.25, -3.0], Completed());
    }

    [Fact]
    public void TryAdd_Int8Block_IsTheDecodedAdd()
    {
        Assert.True(_aggregation.TryAdd(new Codec(UpdateCodecs.Int8), [.. BitConverter.GetBytes(0.5f), 127, unchecked((byte)-2)], 2));

        Assert.Equal([63.5, -1.0], Completed());
    }

    [Fact]
    public void TryAdd_BlockShorterThanItsScale_IsRefused() =>
        Assert.False(_aggregation.TryAdd(new Codec(UpdateCodecs.Int8), [0, 0, 0], 1));

    [Fact]
    public void TryAdd_CodecOfADeploymentsOwn_GoesThroughItsDecoder()
    {
        Assert.True(_aggregation.TryAdd(new Codec("own"), [3, 4], 2));
        Assert.True(_aggregation.TryAddAll(new Codec("own"), [new byte[] { 6, 10 }], [1]));

        Assert.Equal([4.0, 6.0], Completed());
    }

    [Theory]
    [InlineData("own")]
    [InlineData(UpdateCodecs.Float32)]
    public void Complete_ABlockWasRefused_ThrowsUntilRestarted(string codec)
    {
        _aggregation.Add([1f, 1f], 1);
        Assert.False(_aggregation.TryAdd(new Codec(codec), [3], 2));
        Assert.Throws<InvalidOperationException>(Completed);

        _aggregation.Restart(2);
        _aggregation.Add([1f, 10f], 1);
        Assert.False(_aggregation.TryAddAll(new Codec(codec), [new byte[] { 3 }], [2]));
        Assert.Throws<InvalidOperationException>(Completed);

        _aggregation.Restart(2);
        _aggregation.Add([1f, 10f], 1);
        Assert.Equal([1.0, 10.0], Completed());
    }

    [Theory]
    [InlineData(UpdateCodecs.Float32)]
    [InlineData(UpdateCodecs.Float16)]
    [InlineData(UpdateCodecs.Int8)]
    [InlineData("own")]
    public void TryAddAll_AnyNumberOfClients_HasTheBytesOfOneAfterAnother(string name)
    {
        foreach (var dimension in new[] { 1, 7, 8, 9, 1000, 16_384, 16_385 })
        {
            for (var clients = 1; clients <= 9; clients++)
            {
                ReadOnlyMemory<byte>[] blocks = [.. Enumerable.Range(0, clients).Select(client => Block(name, dimension, client))];
                double[] weights = [.. Enumerable.Range(0, clients).Select(client => 1 + (client * 0.37))];
                var (together, apart) = (Aggregators.Find(Aggregators.WeightedMean).Begin(dimension), Aggregators.Find(Aggregators.WeightedMean).Begin(dimension));

                Assert.True(together.TryAddAll(new Codec(name), blocks, weights));
                Assert.All(blocks.Zip(weights), block => Assert.True(apart.TryAdd(new Codec(name), block.First.Span, block.Second)));

                Assert.Equal(Vectors.Bits(Completed(apart)), Vectors.Bits(Completed(together)));
            }
        }
    }

    [Theory]
    [InlineData(UpdateCodecs.Float32)]
    [InlineData(UpdateCodecs.Float16)]
    [InlineData(UpdateCodecs.Int8)]
    public void TryAddAll_OneBlockNotLegal_IsRefusedWhoeverSentIt(string name)
    {
        for (var poisoned = 0; poisoned < 6; poisoned++)
        {
            var blocks = Enumerable.Range(0, 6).Select(client => Block(name, 37, client)).ToArray();
            blocks[poisoned].AsSpan(^2..).Fill(name == UpdateCodecs.Int8 ? (byte)0x80 : (byte)0xFF);

            Assert.False(Aggregators.Find(Aggregators.WeightedMean).Begin(37).TryAddAll(
                new Codec(name), [.. blocks.Select(block => (ReadOnlyMemory<byte>)block)], [1, 1, 1, 1, 1, 1]));
        }
    }

    [Fact]
    public void TryAddAll_WeightsDoNotMatch_Throws()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => _aggregation.TryAddAll(new Codec("own"), [new byte[2]], []));
        Assert.Throws<ArgumentOutOfRangeException>(() => _aggregation.TryAddAll(new Codec("own"), [new byte[2]], [0]));
    }

    [Fact]
    public void Complete_AnySharding_HasTheSameBytes()
    {
        const int dimension = 1000;
        float[][] updates = [.. Enumerable.Range(0, 7).Select(client => Vectors.Mild(dimension, client))];
        var whole = Mean(updates, 0, dimension);

        for (var shard = 1; shard < dimension; shard += 37)
        {
            var sharded = Enumerable.Range(0, (dimension + shard - 1) / shard)
                .SelectMany(k => Mean(updates, k * shard, Math.Min(shard, dimension - (k * shard))));
            Assert.Equal(Vectors.Bits(whole), Vectors.Bits(sharded.ToArray().AsSpan()));
        }
    }

    [Fact]
    public void Complete_Mean_LiesBetweenTheSmallestAndTheLargest()
    {
        float[][] updates = [.. Enumerable.Range(0, 9).Select(client => Vectors.Mild(333, client))];

        var mean = Mean(updates, 0, 333);

        Assert.All(mean.Index(), m => Assert.InRange(m.Item, updates.Min(u => u[m.Index]), updates.Max(u => u[m.Index])));
    }

    private static double[] Mean(float[][] updates, int start, int length)
    {
        var aggregation = Aggregators.Find(Aggregators.WeightedMean).Begin(length);
        for (var client = 0; client < updates.Length; client++)
        {
            aggregation.Add(updates[client].AsSpan(start, length), 1 + (client * 0.37));
        }

        var mean = new double[length];
        aggregation.Complete(mean);
        return mean;
    }

    private static byte[] Block(string codec, int dimension, int client)
    {
        var values = Vectors.Mild(dimension, client);
        return codec switch
        {
            UpdateCodecs.Float32 => MemoryMarshal.AsBytes(values.AsSpan()).ToArray(),
            UpdateCodecs.Float16 => MemoryMarshal.AsBytes(values.Select(value => (Half)value).ToArray().AsSpan()).ToArray(),
            UpdateCodecs.Int8 => [.. BitConverter.GetBytes(0.1f + client), .. values.Select(value => (byte)(sbyte)(127 * value))],
            _ => [.. values.Select(value => (byte)(100 + (100 * value)))],
        };
    }

    private static double[] Completed(IAggregation aggregation)
    {
        var aggregate = new double[aggregation.Dimension];
        aggregation.Complete(aggregate);
        return aggregate;
    }

    private double[] Completed() => Completed(_aggregation);

    /// <summary>One byte a value; refuses any other length.</summary>
    private sealed class Codec(string name) : IUpdateCodec
    {
        public string Name => name;

        public byte Id => 200;

        public (int Min, int Max) EncodedLength(int coordinates) => (coordinates, coordinates);

        public int Encode(ReadOnlySpan<float> values, Span<byte> destination) => throw new NotSupportedException();

        public bool TryDecode(ReadOnlySpan<byte> block, Span<float> destination)
        {
            for (var i = 0; i < destination.Length && block.Length == destination.Length; i++)
            {
                destination[i] = block[i];
            }

            return block.Length == destination.Length;
        }
    }
}
