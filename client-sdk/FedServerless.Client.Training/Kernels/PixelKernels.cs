using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace FedServerless.Client.Training;

/// <summary>Between images that lie channel after channel, as features do, and pixel by pixel, as convolutions want them.</summary>
internal static class PixelKernels
{
    /// <summary><c>to[j·rows + i] = from[i·columns + j]</c>.</summary>
    /// <param name="from">[<paramref name="rows"/>, <paramref name="columns"/>].</param>
    /// <param name="to">[<paramref name="columns"/>, <paramref name="rows"/>]; does not overlap.</param>
    /// <param name="rows">1 or more.</param>
    /// <param name="columns">1 or more.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Transpose(ReadOnlySpan<float> from, Span<float> to, int rows, int columns)
    {
        Debug.Assert(from.Length == rows * columns && to.Length == rows * columns);
        for (var i = 0; i < rows; i++)
        {
            var row = from.Slice(i * columns, columns);
            var at = i;
            foreach (var value in row)
            {
                to[at] = value;
                at += rows;
            }
        }
    }

    /// <summary><c>to[i·step] = from[i]</c>.</summary>
    /// <param name="from">Values.</param>
    /// <param name="to">Long enough; does not overlap.</param>
    /// <param name="step">1 or more.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Spread(ReadOnlySpan<float> from, Span<float> to, int step)
    {
        if (step == 1)
        {
            from.CopyTo(to);
            return;
        }

        var at = 0;
        foreach (var value in from)
        {
            to[at] = value;
            at += step;
        }
    }
}
