using System.Globalization;
using System.Security;
using System.Text;

namespace FedServerless.Cli.Output;

/// <summary>A picture of points and curves over two axes, as SVG.</summary>
internal sealed class Chart
{
    public const int Width = 640;
    public const int Height = 400;
    private const int Left = 64;
    private const int Right = 24;
    private const int Top = 44;
    private const int Bottom = 56;
    private const double LineHeight = 13;

    // About what a character of the font takes, to keep names apart.
    private const double CharacterWidth = 6.3;

    private static readonly string[] Colours = ["#1f5fa8", "#b8500f", "#2c7d3f", "#7b3fa0", "#8a6d00", "#555555"];

    private readonly StringBuilder _svg = new();
    private readonly List<(double Left, double Y, double Width)> _names = [];

    public Chart(string title, ChartScale x, ChartScale y)
    {
        X = new ChartAxis(x.Values, x.IsLogarithmic, Left, Width - Right);
        Y = new ChartAxis(y.Values, y.IsLogarithmic, Height - Bottom, Top);
        _svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Width}\" height=\"{Height}\" font-family=\"sans-serif\" font-size=\"12\">\n");
        _svg.Append(CultureInfo.InvariantCulture, $"<rect width=\"{Width}\" height=\"{Height}\" fill=\"white\"/>\n");
        Text(Left, 24, "start", title);
        foreach (var tick in X.Ticks)
        {
            Line(X.At(tick), Top, X.At(tick), Height - Bottom, "#dddddd");
            Text(X.At(tick), Height - Bottom + 18, "middle", tick.ToString("0.###", CultureInfo.InvariantCulture));
        }

        foreach (var tick in Y.Ticks)
        {
            Line(Left, Y.At(tick), Width - Right, Y.At(tick), "#dddddd");
            Text(Left - 8, Y.At(tick) + 4, "end", tick.ToString("0.###", CultureInfo.InvariantCulture));
        }

        Text((Left + Width - Right) / 2.0, Height - 14, "middle", x.Title);
        Text(Left, Top - 6, "end", y.Title);
    }

    public ChartAxis X { get; }

    public ChartAxis Y { get; }

    /// <summary>The colour of the so many-eth group; they come round again.</summary>
    public static string Colour(int index) => Colours[index % Colours.Length];

    /// <summary>Joins points from left to right; dashed without marks.</summary>
    public void Curve(IEnumerable<(double X, double Y)> points, string colour, bool isDashed)
    {
        (double X, double Y)[] ordered = [.. points.OrderBy(point => point.X)];
        var path = string.Join(' ', ordered.Select(point => string.Create(CultureInfo.InvariantCulture, $"{X.At(point.X):F1},{Y.At(point.Y):F1}")));
        _svg.Append(CultureInfo.InvariantCulture, $"<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"{(isDashed ? " stroke-dasharray=\"5 4\"" : "")}/>\n");
        foreach (var point in isDashed ? [] : ordered)
        {
            Mark(point, colour);
        }
    }

    /// <summary>A point with its name beside it, below others' where those are in the way, and a bar of its deviation up and down.</summary>
    public void Point((double X, double Y) point, double deviation, string colour, string name)
    {
        Line(X.At(point.X), Y.At(point.Y - deviation), X.At(point.X), Y.At(point.Y + deviation), colour);
        Mark(point, colour);
        var width = CharacterWidth * name.Length;
        var isFarRight = X.At(point.X) + width > Width - Right;
        var left = isFarRight ? X.At(point.X) - 7 - width : X.At(point.X) + 7;
        var y = Y.At(point.Y) + 4;
        while (_names.Any(other => Math.Abs(other.Y - y) < LineHeight && left < other.Left + other.Width && other.Left < left + width))
        {
            y += LineHeight;
        }

        _names.Add((left, y, width));
        Text(isFarRight ? left + width : left, y, isFarRight ? "end" : "start", name, colour);
    }

    /// <summary>Names the groups, bottom right, the first on top.</summary>
    public void Legend(IReadOnlyList<string> groups)
    {
        foreach (var (index, group) in groups.Index())
        {
            Text(Width - Right - 4, Height - Bottom - 12 - (16 * (groups.Count - 1 - index)), "end", group, Colour(index));
        }
    }

    /// <summary>The picture; nothing may be drawn afterwards.</summary>
    public string Close() => _svg.Append("</svg>\n").ToString();

    private void Mark((double X, double Y) point, string colour) =>
        _svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{X.At(point.X):F1}\" cy=\"{Y.At(point.Y):F1}\" r=\"3\" fill=\"{colour}\"/>\n");

    private void Line(double x1, double y1, double x2, double y2, string colour) =>
        _svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{x1:F1}\" y1=\"{y1:F1}\" x2=\"{x2:F1}\" y2=\"{y2:F1}\" stroke=\"{colour}\"/>\n");

    private void Text(double x, double y, string anchor, string text, string colour = "#222222") =>
        _svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:F1}\" y=\"{y:F1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{SecurityElement.Escape(text)}</text>\n");
}

/// <summary>What one axis shows.</summary>
/// <param name="Title">Its name with its unit.</param>
/// <param name="Values">All that it has to have a place for.</param>
/// <param name="IsLogarithmic">Whether equal distances are equal ratios.</param>
internal sealed record ChartScale(string Title, IEnumerable<double> Values, bool IsLogarithmic = false);
