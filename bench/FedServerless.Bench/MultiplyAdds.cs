using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Bench;

/// <summary>Multiply-adds: how many a processor's core does at most, and how many a model takes.</summary>
internal static class MultiplyAdds
{
    private const int Turns = 50_000;

    private static float _sink;

    /// <summary>Multiply-adds of float32 in one <see cref="Run"/>.</summary>
    public static long PerRun => (long)Turns * 16 * Lanes;

    private static int Lanes => Vector512.IsHardwareAccelerated ? Vector512<float>.Count : Vector<float>.Count;

    /// <summary>Sixteen independent chains in registers of the widest kind, nothing from memory.</summary>
    public static void Run() => _sink = Vector512.IsHardwareAccelerated ? RunWidest() : RunWide();

    /// <summary>Multiply-adds a sample, forwards and backwards; what is not in a matrix product is left out.</summary>
    public static (long Forward, long Backward) Of(ArchitectureSpec spec)
    {
        var forward = Architectures.ConvShapes(spec).Sum(shape => (long)shape.Height * shape.Width * shape.Kernel * shape.Kernel * shape.Inputs * shape.Outputs);
        var widths = Architectures.LayerWidths(spec);
        forward += widths.Zip(widths.Skip(1), (inputs, outputs) => (long)inputs * outputs).Sum();

        // Twice backwards, for the weights and for what came in; nobody wants the gradient of the samples.
        var first = Architectures.ConvShapes(spec) is [var shape, ..]
            ? (long)shape.Height * shape.Width * shape.Kernel * shape.Kernel * shape.Inputs * shape.Outputs
            : (long)widths[0] * widths[1];
        return (forward, (2 * forward) - first);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float RunWidest()
    {
        var (factor, term) = (Vector512.Create(0.999f), Vector512.Create(0.001f));
        Vector512<float> a = term, b = term, c = term, d = term, e = term, f = term, g = term, h = term;
        Vector512<float> i = term, j = term, k = term, l = term, m = term, n = term, o = term, p = term;
        for (var turn = 0; turn < Turns; turn++)
        {
            a = Vector512.MultiplyAddEstimate(a, factor, term);
            b = Vector512.MultiplyAddEstimate(b, factor, term);
            c = Vector512.MultiplyAddEstimate(c, factor, term);
            d = Vector512.MultiplyAddEstimate(d, factor, term);
            e = Vector512.MultiplyAddEstimate(e, factor, term);
            f = Vector512.MultiplyAddEstimate(f, factor, term);
            g = Vector512.MultiplyAddEstimate(g, factor, term);
            h = Vector512.MultiplyAddEstimate(h, factor, term);
            i = Vector512.MultiplyAddEstimate(i, factor, term);
            j = Vector512.MultiplyAddEstimate(j, factor, term);
            k = Vector512.MultiplyAddEstimate(k, factor, term);
            l = Vector512.MultiplyAddEstimate(l, factor, term);
            m = Vector512.MultiplyAddEstimate(m, factor, term);
            n = Vector512.MultiplyAddEstimate(n, factor, term);
            o = Vector512.MultiplyAddEstimate(o, factor, term);
            p = Vector512.MultiplyAddEstimate(p, factor, term);
        }

        return Vector512.Sum(a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float RunWide()
    {
        var (factor, term) = (Vector.Create(0.999f), Vector.Create(0.001f));
        Vector<float> a = term, b = term, c = term, d = term, e = term, f = term, g = term, h = term;
        for (var turn = 0; turn < 2 * Turns; turn++)
        {
            a = Vector.MultiplyAddEstimate(a, factor, term);
            b = Vector.MultiplyAddEstimate(b, factor, term);
            c = Vector.MultiplyAddEstimate(c, factor, term);
            d = Vector.MultiplyAddEstimate(d, factor, term);
            e = Vector.MultiplyAddEstimate(e, factor, term);
            f = Vector.MultiplyAddEstimate(f, factor, term);
            g = Vector.MultiplyAddEstimate(g, factor, term);
            h = Vector.MultiplyAddEstimate(h, factor, term);
        }

        return Vector.Sum(a + b + c + d + e + f + g + h);
    }
}
