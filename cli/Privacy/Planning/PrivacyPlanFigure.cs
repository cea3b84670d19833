using System.Globalization;
using System.Security;
using System.Text;

namespace FedServerless.Cli.Privacy.Planning;

/// <summary>
/// The trade-off as a picture, ε on a logarithmic axis: accuracy against ε where it was measured, with the level that no noise reaches as a dashed line; else ε
/// against noise, model holders solid, cohort observers dashed.
/// </summary>
internal static class PrivacyPlanFigure
{
    private const int Width = 640;
    private const int Height = 400;
    private const int Left = 64;
    private const int Right = 24;
    private const int Top = 44;
    private const int Bottom = 56;

    private static readonly string[] Colours = ["#1f5fa8", "#b8500f", "#2c7d3f", "#7b3fa0", "#8a6d00", "#555555"];

    public static string Draw(PrivacyPlanOptions options, IReadOnlyList<PrivacyPlanRow> rows)
    {
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Width}\" height=\"{Height}\" font-family=\"sans-serif\" font-size=\"12\">\n");
        svg.Append(CultureInfo.InvariantCulture, $"<rect width=\"{Width}\" height=\"{Height}\" fill=\"white\"/>\n");
        var groups = rows.GroupBy(row => (row.Clients, row.Rounds)).ToArray();
        var noisy = rows.Where(row => row.NoiseMultiplier is not null).ToArray();
        if (options.Measure)
        {
            Text(svg, Left, 24, "start", $"Accuracy on held-out digits against epsilon, means of {options.Seeds} {(options.Seeds == 1 ? "seed" : "seeds")}");
            var x = new Axis(noisy.Select(row => row.ModelHolder!.Value), isLogarithmic: true, Left, Width - Right);
            var y = new Axis(rows.Select(row => row.Accuracy!.Value).Append(1), isLogarithmic: false, Height - Bottom, Top);
            DrawAxes(svg, x, y, "epsilon against holders of released models", "accuracy");
            foreach (var (index, group) in groups.Index())
            {
                Curve(svg, x, y, [.. group.Where(row => row.NoiseMultiplier is not null).Select(row => (row.ModelHolder!.Value, row.Accuracy!.Value))], Colour(index), isDashed: false);
                foreach (var plain in group.Where(row => row.NoiseMultiplier is null))
                {
                    Curve(svg, x, y, [(x.Least, plain.Accuracy!.Value), (x.Most, plain.Accuracy!.Value)], Colour(index), isDashed: true);
                }
            }
        }
        else
        {
            Text(svg, Left, 24, "start", "Epsilon against noise: model holders solid, cohort observers dashed");
            var x = new Axis(noisy.Select(row => row.NoiseMultiplier!.Value), isLogarithmic: true, Left, Width - Right);
            var y = new Axis(noisy.SelectMany(row => new[] { row.ModelHolder!.Value, row.CohortObserver!.Value }), isLogarithmic: true, Height - Bottom, Top);
            DrawAxes(svg, x, y, "noise multiplier z", "epsilon");
            foreach (var (index, group) in groups.Index())
            {
                Curve(svg, x, y, [.. group.Select(row => (row.NoiseMultiplier!.Value, row.ModelHolder!.Value))], Colour(index), isDashed: false);
                Curve(svg, x, y, [.. group.Select(row => (row.NoiseMultiplier!.Value, row.CohortObserver!.Value))], Colour(index), isDashed: true);
            }
        }

        foreach (var (index, group) in groups.Index())
        {
            Text(svg, Width - Right - 4, Height - Bottom - 12 - (16 * (groups.Length - 1 - index)), "end", $"{group.Key.Clients} clients, {group.Key.Rounds} rounds", Colour(index));
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static void DrawAxes(StringBuilder svg, Axis x, Axis y, string xTitle, string yTitle)
    {
        foreach (var tick in x.Ticks)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{x.At(tick):F1}\" y1=\"{Top}\" x2=\"{x.At(tick):F1}\" y2=\"{Height - Bottom}\" stroke=\"#dddddd\"/>\n");
            Text(svg, x.At(tick), Height - Bottom + 18, "middle", tick.ToString("0.###", CultureInfo.InvariantCulture));
        }

        foreach (var tick in y.Ticks)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left}\" y1=\"{y.At(tick):F1}\" x2=\"{Width - Right}\" y2=\"{y.At(tick):F1}\" stroke=\"#dddddd\"/>\n");
            Text(svg, Left - 8, y.At(tick) + 4, "end", tick.ToString("0.###", CultureInfo.InvariantCulture));
        }

        Text(svg, (Left + Width - Right) / 2.0, Height - 14, "middle", xTitle);
        Text(svg, Left, Top - 6, "end", yTitle);
    }

    private static void Curve(StringBuilder svg, Axis x, Axis y, IReadOnlyList<(double X, double Y)> points, string colour, bool isDashed)
    {
        (double X, double Y)[] ordered = [.. points.OrderBy(point => point.X)];
        var path = string.Join(' ', ordered.Select(point => string.Create(CultureInfo.InvariantCulture, $"{x.At(point.X):F1},{y.At(point.Y):F1}")));
        svg.Append(CultureInfo.InvariantCulture, $"<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"{(isDashed ? " stroke-dasharray=\"5 4\"" : "")}/>\n");
        foreach (var point in isDashed ? [] : ordered)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{x.At(point.X):F1}\" cy=\"{y.At(point.Y):F1}\" r=\"3\" fill=\"{colour}\"/>\n");
        }
    }

    private static string Colour(int index) => Colours[index % Colours.Length];

    private static void Text(StringBuilder svg, double x, double y, string anchor, string text, string colour = "#222222") =>
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:F1}\" y=\"{y:F1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{SecurityElement.Escape(text)}</text>\n");

    /// <summary>Values to pixels.</summary>
    private sealed class Axis
    {
        private readonly bool _isLogarithmic;
        private readonly double _from;
        private readonly double _to;

        public Axis(IEnumerable<double> values, bool isLogarithmic, double from, double to)
        {
            (_isLogarithmic, _from, _to) = (isLogarithmic, from, to);
            double[] all = [.. values.Where(double.IsFinite)];
            var (least, most) = all.Length == 0 ? (0, 1) : (all.Min(), all.Max());
            if (isLogarithmic)
            {
                // An ε of 0 has no place on it; a thousandth of the largest is near enough.
                least = Math.Max(least, Math.Max(most, 1e-6) / 1000);
                (Least, Most) = (least / 1.15, Math.Max(most, least) * 1.15);
            }
            else
            {
                var step = TickStep(least, most);
                (Least, Most) = (Math.Floor(least / step) * step, Math.Max(Math.Ceiling(most / step) * step, (Math.Floor(least / step) * step) + step));
            }
        }

        public double Least { get; }

        public double Most { get; }

        public IEnumerable<double> Ticks
        {
            get
            {
                if (!_isLogarithmic)
                {
                    var step = TickStep(Least, Most);
                    return Enumerable.Range(0, (int)Math.Round((Most - Least) / step) + 1).Select(i => Least + (i * step));
                }

                return Enumerable.Range(-9, 19).SelectMany(power => new[] { 1.0, 2, 5 }.Select(digit => digit * Math.Pow(10, power)))
                    .Where(tick => tick >= Least && tick <= Most);
            }
        }

        public double At(double value)
        {
            var share = _isLogarithmic
                ? Math.Log(Math.Clamp(value, Least, Most) / Least) / Math.Log(Most / Least)
                : (value - Least) / (Most - Least);
            return _from + (share * (_to - _from));
        }

        private static double TickStep(double least, double most) => most - least > 0.5 ? 0.2 : most - least > 0.2 ? 0.1 : 0.05;
    }
}
