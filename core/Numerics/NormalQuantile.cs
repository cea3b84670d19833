using System.Diagnostics;

namespace FedServerless.Numerics;

/// <summary>
/// The standard normal's inverse distribution function, bit for bit the same everywhere: Wichura 1988, "Algorithm AS 241: The
/// Percentage Points of the Normal Distribution", PPND16, with a logarithm made of correctly rounded operations.
/// </summary>
internal static class NormalQuantile
{
    private const double Ln2High = 6.93147180369123816490e-01; // The upper 33 bits, so that exponent · Ln2High is exact.
    private const double Ln2Low = 1.90821492927058770002e-10;

    private static ReadOnlySpan<double> CentralNumerator =>
    [
        3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
        4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3,
    ];

    private static ReadOnlySpan<double> CentralDenominator =>
    [
        1, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
        2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4, 5.2264952788528545610e+3,
    ];

    private static ReadOnlySpan<double> MiddleNumerator =>
    [
        1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
        1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4,
    ];

    private static ReadOnlySpan<double> MiddleDenominator =>
    [
        1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
        1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9,
    ];

    private static ReadOnlySpan<double> TailNumerator =>
    [
        6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
        2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
    ];

    private static ReadOnlySpan<double> TailDenominator =>
    [
        1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
        7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15,
    ];

    /// <summary>The z with <c>P(Z ≤ z) = p</c>; p strictly between 0 and 1 and not subnormal.</summary>
    public static double Of(double p)
    {
        Debug.Assert(p is > 0 and < 1);
        var q = p - 0.5;
        if (Math.Abs(q) <= 0.425)
        {
            var central = 0.180625 - (q * q);
            return q * Polynomial(CentralNumerator, central) / Polynomial(CentralDenominator, central);
        }

        var r = Math.Sqrt(-Log(q < 0 ? p : 1 - p));
        var z = r <= 5
            ? Polynomial(MiddleNumerator, r - 1.6) / Polynomial(MiddleDenominator, r - 1.6)
            : Polynomial(TailNumerator, r - 5) / Polynomial(TailDenominator, r - 5);
        return q < 0 ? -z : z;
    }

    /// <summary>
    /// The natural logarithm of a positive normal number: <c>x = 2ᵉ·m</c>, m in [√½, √2), <c>s = (m − 1)/(m + 1)</c>,
    /// <c>ln x = e·ln 2 + 2s·(1 + s²/3 + s⁴/5 + …)</c>. |s| &lt; 0.172, so the terms after s²²/23 are below 10⁻¹⁸.
    /// </summary>
    internal static double Log(double x)
    {
        var bits = BitConverter.DoubleToInt64Bits(x);
        var exponent = (int)(bits >> 52) - 1023;
        var mantissa = BitConverter.Int64BitsToDouble((bits & 0x000F_FFFF_FFFF_FFFF) | 0x3FF0_0000_0000_0000);
        if (mantissa > 1.4142135623730951)
        {
            mantissa *= 0.5;
            exponent++;
        }

        var s = (mantissa - 1) / (mantissa + 1);
        var square = s * s;
        var series = 0.0;
        for (var k = 23; k >= 3; k -= 2)
        {
            series = (series + (1.0 / k)) * square;
        }

        return (exponent * Ln2High) + ((2 * s) + ((2 * s * series) + (exponent * Ln2Low)));
    }

    private static double Polynomial(ReadOnlySpan<double> coefficients, double x)
    {
        var value = 0.0;
        for (var i = coefficients.Length - 1; i >= 0; i--)
        {
            value = (value * x) + coefficients[i];
        }

        return value;
    }
}
