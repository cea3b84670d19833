using System.Globalization;
using System.Security;
using System.Text;
using FedServerless.Cli.Output;

namespace FedServerless.Cli.Laboratory;

/// <summary>The tables as a picture: a square a cell, the darker the better, one table a partition.</summary>
internal static class AttackFigure
{
    private const int Left = 170;
    private const int Top = 70;
    private const int Width = 84;
    private const int Height = 26;
    private const int Gap = 24;

    public static string Draw(AttackOptions options, IReadOnlyList<AttackCell> cells)
    {
        var table = Top + (Height * options.Rules.Count) + Gap;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Left + (Width * options.Attacks.Count) + Gap}\" height=\"{table * options.Partitions.Count}\" font-family=\"sans-serif\" font-size=\"12\">\n");
        foreach (var (index, partition) in options.Partitions.Index())
        {
            var y = table * index;
            Text(svg, 12, y + 24, "start", $"{options.Liars} of {options.Clients} clients lie, {partition}: accuracy after {options.Rounds} rounds");
            foreach (var (column, attack) in options.Attacks.Index())
            {
                Text(svg, Left + (Width * column) + (Width / 2), y + Top - 8, "middle", attack);
            }

            foreach (var (row, rule) in options.Rules.Index())
            {
                Text(svg, Left - 8, y + Top + (Height * row) + 17, "end", rule);
                foreach (var (column, attack) in options.Attacks.Index())
                {
                    Cell(svg, Left + (Width * column), y + Top + (Height * row), cells.First(cell =>
                        cell.Partition == partition.ToString() && cell.Rule == rule && cell.Attack == attack));
                }
            }
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static void Cell(StringBuilder svg, int x, int y, AttackCell cell)
    {
        var accuracy = cell.Accuracy ?? 0;
        var shade = cell.Accuracy is null ? "#eeeeee" : string.Create(CultureInfo.InvariantCulture, $"hsl(210,60%,{95 - (50 * accuracy):F0}%)");
        svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{x}\" y=\"{y}\" width=\"{Width - 2}\" height=\"{Height - 2}\" fill=\"{shade}\"/>\n");
        Text(svg, x + (Width / 2), y + 17, "middle", cell.Refusal is null ? Columns.Number(accuracy, 3) + (cell.Expected is null ? "" : "~") : "refused");
    }

    private static void Text(StringBuilder svg, int x, int y, string anchor, string text) =>
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{SecurityElement.Escape(text)}</text>\n");
}
