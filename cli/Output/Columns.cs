using System.Globalization;
using System.Text;

namespace FedServerless.Cli.Output;

/// <summary>
/// A table that grows downwards, one line a row, so that it scrolls, pipes and never has to be redrawn.
/// </summary>
internal sealed class Columns(params IReadOnlyList<(string Title, int Width)> columns)
{
    /// <summary>The line of titles.</summary>
    public string Header => Row([.. columns.Select(column => column.Title)]);

    /// <summary>One line: cells to the right of their columns, cells that are too wide in full.</summary>
    public string Row(params IReadOnlyList<string> cells)
    {
        var line = new StringBuilder();
        for (var i = 0; i < cells.Count; i++)
        {
            line.Append(i == 0 ? "" : "  ").Append(cells[i].PadLeft(columns[i].Width));
        }

        return line.ToString().TrimEnd();
    }

    /// <summary>A number with so many decimals, or a dash where there is none.</summary>
    public static string Number(double? value, int decimals) =>
        value is { } number && double.IsFinite(number) ? number.ToString($"F{decimals}", CultureInfo.InvariantCulture) : "–";

    /// <summary>A number of bytes in the largest unit that leaves digits before the point.</summary>
    public static string Bytes(double bytes) => bytes switch
    {
        >= 1L << 30 => $"{Number(bytes / (1L << 30), 1)} GiB",
        >= 1L << 20 => $"{Number(bytes / (1L << 20), 1)} MiB",
        >= 1L << 10 => $"{Number(bytes / (1L << 10), 1)} KiB",
        _ => $"{Number(bytes, 0)} B",
    };
}
