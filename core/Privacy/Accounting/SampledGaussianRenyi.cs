using System.Diagnostics;

namespace FedServerless.Privacy;

/// <summary>
/// The Rényi divergence of order α between the Poisson-sampled Gaussian with and without one unit: Mironov, Talwar and Zhang
/// 2019, arXiv:1908.10530, section 3: <c>D = ln A / (α − 1)</c>, <c>A = E[((1 − q) + q·L)^α]</c>, <c>L = exp((2x − 1)/2z²)</c>,
/// x ~ N(0, z²); by their theorem 4 it bounds both directions of add-or-remove.
/// </summary>
/// <remarks>
/// Everything is computed for A − 1, not A: with a small q all of the answer is behind the 1. Since the mean of L is 1, the terms of degree 0 and
/// 1 cancel exactly on paper and are left out, so only positive terms are added, in log-space.
/// </remarks>
internal sealed class SampledGaussianRenyi
{
    private readonly double _rate;
    private readonly double _noise;
    private readonly double _realNoise;
    private readonly double[] _scratch = new double[(int)RenyiOrders.Largest + 1];
    private readonly double[] _perTerm;

    /// <summary>For one release; not thread-safe.</summary>
    public SampledGaussianRenyi(ReleaseEvent release)
    {
        _rate = release.SamplingRate;
        _noise = release.NoiseMultiplier;
        _realNoise = release.RealNoise.Less;
        _perTerm = _rate < 1 ? TermsWithoutOrder() : [];
    }

    /// <summary>D at <paramref name="order"/>, above 1 and at most <see cref="RenyiOrders.Largest"/>.</summary>
    public double Divergence(double order)
    {
        Debug.Assert(order is > 1 and <= RenyiOrders.Largest);

        // Discrete noise does not exceed this at any order: the ratio of theta functions is at most 1 (arXiv:2004.00010, section 2). Nor does a sample.
        var plain = order / (2 * _noise * _noise);
        if (_rate == 1)
        {
            return plain;
        }

        if (order == Math.Floor(order))
        {
            return Math.Min(plain, LogSpace.Log1PExp(LogExcessAtInteger((int)order)) / (order - 1));
        }

        // Real-valued noise slightly smaller than the discrete one covers it (docs/maths/privacy.md, "The grid").
        // Noise this small is priced as if everybody took part: sound, and nobody calls it privacy.
        return _realNoise < SampledGaussianQuadrature.LeastNoise
            ? plain
            : Math.Min(plain, LogSpace.Log1PExp(SampledGaussianQuadrature.LogExcess(_rate, _realNoise, order)) / (order - 1));
    }

    // ln(A − 1), A − 1 = Σ_{k=2..α} C(α,k)·(1−q)^{α−k}·q^k·(e^{(k²−k)/2z²} − 1): their equation (3.3) less the binomial theorem.
    // Exact for discrete noise as well, whose E[L^k] is the same at every integer k.
    private double LogExcessAtInteger(int order)
    {
        var constant = LogSpace.LogFactorial(order) + (order * LogSpace.Log1P(-_rate));
        for (var k = 2; k <= order; k++)
        {
            _scratch[k - 2] = _perTerm[k] - Factorials[order - k];
        }

        return constant + LogSpace.Sum(_scratch.AsSpan(0, order - 1));
    }

    private static readonly double[] Factorials = [.. Enumerable.Range(0, (int)RenyiOrders.Largest + 1).Select(n => LogSpace.LogFactorial(n))];

    private double[] TermsWithoutOrder()
    {
        var odds = Math.Log(_rate) - LogSpace.Log1P(-_rate);
        var terms = new double[(int)RenyiOrders.Largest + 1];
        for (var k = 2; k < terms.Length; k++)
        {
            terms[k] = (k * odds) - Factorials[k] + LogSpace.LogExpM1(((double)k * k - k) / (2 * _noise * _noise));
        }

        return terms;
    }
}
