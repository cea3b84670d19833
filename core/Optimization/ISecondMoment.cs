namespace FedServerless.Optimization;

/// <summary>The line of algorithm 2 in which the adaptive optimizers differ.</summary>
internal interface ISecondMoment
{
    /// <summary>The next v, 0 or more, from v, Δ² and β₂.</summary>
    static abstract double Next(double v, double square, double beta2);
}

internal readonly struct AdagradMoment : ISecondMoment
{
    public static double Next(double v, double square, double beta2) => v + square;
}

internal readonly struct AdamMoment : ISecondMoment
{
    public static double Next(double v, double square, double beta2) => (beta2 * v) + ((1 - beta2) * square);
}

internal readonly struct YogiMoment : ISecondMoment
{
    // sign(0) = 0: at v = Δ² the moment stands still.
    public static double Next(double v, double square, double beta2)
    {
        var step = (1 - beta2) * square;
        return v > square ? v - step : v < square ? v + step : v;
    }
}
