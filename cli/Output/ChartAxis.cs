namespace FedServerless.Cli.Output;

/// <summary>Values to pixels, linear or logarithmic, with ticks at 1, 2 and 5 times powers of ten.</summary>
internal sealed class ChartAxis
{
    private readonly bool _isLogarithmic;
    private readonly double _step;
    private readonly double _from;
    private readonly double _to;

    /// <param name="values">What has to have a place; what is not finite is left out.</param>
    /// <param name="isLogarithmic">Whether equal distances are equal ratios. Values then have to be above 0; less than a thousandth of the largest is drawn at its end.</param>
    /// <param name="from">The pixel of the least value.</param>
    /// <param name="to">The pixel of the largest.</param>
    public ChartAxis(IEnumerable<double> values, bool isLogarithmic, double from, double to)
    {
        (_isLogarithmic, _from, _to) = (isLogarithmic, from, to);
        double[] all = [.. values.Where(double.IsFinite)];
        var (least, most) = all.Length == 0 ? (0, 1) : (all.Min(), all.Max());
        if (isLogarithmic)
        {
            least = Math.Max(least, Math.Max(most, 1e-6) / 1000);
            (Least, Most) = (least / 1.15, Math.Max(most, least) * 1.15);
        }
        else
        {
            _step = StepFor(most - least);
            Least = Math.Floor(least / _step) * _step;
            Most = Math.Max(Math.Ceiling(most / _step) * _step, Least + _step);
        }
    }

    public double Least { get; }

    public double Most { get; }

    public IEnumerable<double> Ticks => _isLogarithmic
        ? Enumerable.Range(-9, 19).SelectMany(power => new[] { 1.0, 2, 5 }.Select(digit => digit * Math.Pow(10, power))).Where(tick => tick >= Least && tick <= Most)
        : Enumerable.Range(0, (int)Math.Round((Most - Least) / _step) + 1).Select(i => Least + (i * _step));

    public double At(double value)
    {
        var share = _isLogarithmic
            ? Math.Log(Math.Clamp(value, Least, Most) / Least) / Math.Log(Most / Least)
            : (value - Least) / (Most - Least);
        return _from + (share * (_to - _from));
    }

    // The least of 1, 2 and 5 times a power of ten that makes at most five steps of the span.
    private static double StepFor(double span)
    {
        var fifth = Math.Max(span, 1e-9) / 5;
        var power = Math.Pow(10, Math.Floor(Math.Log10(fifth)));
        return power * new[] { 1.0, 2, 5, 10 }.First(digit => digit * power >= fifth * (1 - 1e-9));
    }
}
