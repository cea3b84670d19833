using FedServerless.Cli.Output;

namespace FedServerless.Cli.Tests;

public sealed class ColumnsTests
{
    [Fact]
    public void Row_NarrowAndWideCells_AlignsAndKeepsAll()
    {
        var columns = new Columns(("round", 5), ("loss", 6));

        Assert.Equal("round    loss", columns.Header);
        Assert.Equal("    7  0.1234", columns.Row("7", "0.1234"));
        Assert.Equal("1234567  0.1", columns.Row("1234567", "0.1").Replace("     ", "  ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1.0 KiB")]
    [InlineData(1_572_864, "1.5 MiB")]
    [InlineData(3_221_225_472, "3.0 GiB")]
    public void Bytes_AnySize_HasItsUnit(double bytes, string expected) => Assert.Equal(expected, Columns.Bytes(bytes));

    [Theory]
    [InlineData(null)]
    [InlineData(double.NaN)]
    public void Number_Nothing_IsADash(double? value) => Assert.Equal("–", Columns.Number(value, 2));
}
