using System.Text;
using FedServerless.Capacity;

namespace FedServerless.Core.Tests.Capacity;

public sealed class PriceTableTests
{
    [Fact]
    public void CostOf_EveryKind_IsPricedByItsOwnUnit()
    {
        var prices = new PriceTable
        {
            WritesPer10K = 1, ReadsPer10K = 2, ListsPer10K = 3, DeletesPer10K = 4, EgressPerGb = 5, GbSecond = 6, ExecutionsPerMillion = 7, EngineActionsPerMillion = 8,
        };
        var usage = new ResourceUsage(10_000, 10_000, 10_000, 10_000, 99, 99, 1L << 30, 1_000_000, 1, 1_000_000);

        Assert.Equal(1 + 2 + 3 + 4 + 5 + 6 + 7 + 8, prices.CostOf(usage), 1e-9);
    }

    [Fact]
    public void TryParse_LeftOut_HasDefaults()
    {
        Assert.True(PriceTable.TryParse("""{"name":"ours","gbSecond":0.5}"""u8, out var table, out _));

        Assert.Equal(("ours", 0.5, "USD", 0.05), (table.Name, table.GbSecond, table.Currency, table.WritesPer10K));
    }

    [Theory]
    [InlineData("{\"gbSecond\":-1}", "gbSecond")]
    [InlineData("{\"egressPerGb\":1000001}", "egressPerGb")]
    [InlineData("{\"currency\":\"euro\"}", "currency")]
    [InlineData("{\"name\":\"\"}", "name")]
    [InlineData("{\"gbSeconds\":1}", "$")]
    [InlineData("null", "$")]
    [InlineData("{", "$")]
    public void TryParse_Wrong_NamesTheField(string json, string field)
    {
        Assert.False(PriceTable.TryParse(Encoding.UTF8.GetBytes(json), out _, out var problems));

        Assert.Contains(problems, problem => problem.Field.StartsWith(field, StringComparison.Ordinal));
    }

    [Fact]
    public void TryParse_SeveralThings_ListsThemAll()
    {
        Assert.False(PriceTable.TryParse("""{"currency":"x","gbSecond":-1,"listsPer10K":-1}"""u8, out _, out var problems));

        Assert.Equal(3, problems.Count);
    }

    [Fact]
    public void TryParse_LongerThanTheLimit_IsRefusedUnread()
    {
        var json = Encoding.UTF8.GetBytes("{}" + new string(' ', PriceTable.MaxBytes - 2));

        Assert.True(PriceTable.TryParse(json, out _, out _));
        Assert.False(PriceTable.TryParse([.. json, (byte)' '], out _, out _));
    }
}
