using FedServerless.Aggregation.Robust;

namespace FedServerless.Core.Tests.Aggregation.Robust;

public sealed class SortingNetworkTests
{
    // Knuth's 0-1 principle (TAOCP 3, 5.3.4, theorem Z): a network that sorts all sequences of zeros and ones sorts everything.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(13)]
    [InlineData(16)]
    public void Create_AnyRanks_PutsThemInPlaceForEveryZeroOneInput(int rows)
    {
        foreach (var (first, count) in new[] { (0, rows), ((rows - 1) / 2, 1), ((rows - 1) / 2, 2 - (rows % 2)), (rows / 4, rows - (2 * (rows / 4))) })
        {
            var network = SortingNetwork.Create(rows, first, count);
            for (var input = 0; input < 1 << rows; input++)
            {
                var sorted = Run(network, input);
                var zeros = rows - System.Numerics.BitOperations.PopCount((uint)input);
                for (var rank = first; rank < first + count; rank++)
                {
                    Assert.Equal(rank < zeros ? 0 : 1, sorted[rank]);
                }
            }
        }
    }

    [Fact]
    public void Create_FewerRanks_NeedsFewerExchanges() =>
        Assert.True(SortingNetwork.Create(100, 49, 2).Pairs.Length < SortingNetwork.Create(100, 0, 100).Pairs.Length);

    [Fact]
    public void Create_SixteenRows_HasBatchersCount() =>
        // Knuth, TAOCP 3, 5.3.4, table 1: merge exchange sorts 16 keys with 63 comparators.
        Assert.Equal(63, SortingNetwork.Create(16, 0, 16).Pairs.Length / 2);

    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(65_536, 0, 1)]
    [InlineData(4, -1, 1)]
    [InlineData(4, 0, 0)]
    [InlineData(4, 3, 2)]
    public void Create_RanksThatAreNotThere_IsRefused(int rows, int first, int count) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => SortingNetwork.Create(rows, first, count));

    private static int[] Run(SortingNetwork network, int input)
    {
        var values = new int[network.Rows];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (input >> i) & 1;
        }

        for (var k = 0; k < network.Pairs.Length; k += 2)
        {
            var (low, high) = (network.Pairs[k], network.Pairs[k + 1]);
            (values[low], values[high]) = (Math.Min(values[low], values[high]), Math.Max(values[low], values[high]));
        }

        return values;
    }
}
