using System.Diagnostics;
using System.Numerics;

namespace FedServerless.Privacy;

/// <summary>
/// The discrete Fourier transform of a power-of-two length, in place: radix 2, decimation in frequency forwards and in time backwards, so that neither
/// has to permute; a spectrum is in bit-reversed order, which products of spectra do not mind.
/// </summary>
internal sealed class FourierTransform
{
    private readonly Complex[] _roots;

    /// <summary>Of <paramref name="length"/> values, a power of two.</summary>
    public FourierTransform(int length)
    {
        Debug.Assert(BitOperations.IsPow2(length));
        Length = length;
        _roots = new Complex[Math.Max(1, length / 2)];
        for (var i = 0; i < _roots.Length; i++)
        {
            // Each root on its own: a recurrence would lose a digit a thousand.
            var (sine, cosine) = Math.SinCos(-2 * Math.PI * i / length);
            _roots[i] = new(cosine, sine);
        }
    }

    /// <summary>The length.</summary>
    public int Length { get; }

    /// <summary><c>Fₖ = Σ xⱼ·e^{−2πijk/n}</c>, in bit-reversed order.</summary>
    public void Forward(Span<Complex> values)
    {
        Debug.Assert(values.Length == Length);
        for (var half = Length / 2; half >= 1; half /= 2)
        {
            var stride = Length / (2 * half);
            for (var start = 0; start < Length; start += 2 * half)
            {
                var left = values.Slice(start, half);
                var right = values.Slice(start + half, half);
                for (var i = 0; i < half; i++)
                {
                    var difference = left[i] - right[i];
                    left[i] += right[i];
                    right[i] = difference * _roots[i * stride];
                }
            }
        }
    }

    /// <summary>The inverse, from bit-reversed order, divided by the length.</summary>
    public void Backward(Span<Complex> values)
    {
        Debug.Assert(values.Length == Length);
        for (var half = 1; half < Length; half *= 2)
        {
            var stride = Length / (2 * half);
            for (var start = 0; start < Length; start += 2 * half)
            {
                var left = values.Slice(start, half);
                var right = values.Slice(start + half, half);
                for (var i = 0; i < half; i++)
                {
                    var turned = right[i] * Complex.Conjugate(_roots[i * stride]);
                    right[i] = left[i] - turned;
                    left[i] += turned;
                }
            }
        }

        for (var i = 0; i < values.Length; i++)
        {
            values[i] /= Length;
        }
    }
}
