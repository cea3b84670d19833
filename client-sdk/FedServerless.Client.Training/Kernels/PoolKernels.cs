using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FedServerless.Client.Training;

/// <summary>
/// Bias, ReLU and the maximum of 2 × 2 pixels at once, a pixel's channels being next to each other. Where several of the four are
/// largest, the first in reading order has the gradient; where the largest is 0 or less, none has.
/// </summary>
internal static class PoolKernels
{
    /// <summary><c>pooled[c] = max(0, maxᵢ(xᵢ[c] + bias[c]))</c> over the four pixels; a NaN stays one.</summary>
    /// <param name="top">Two pixels of a row, one after the other.</param>
    /// <param name="bottom">The two below them.</param>
    /// <param name="bias">One value a channel.</param>
    /// <param name="pooled">One value a channel; overlaps none.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(ReadOnlySpan<float> top, ReadOnlySpan<float> bottom, ReadOnlySpan<float> bias, Span<float> pooled)
    {
        var channels = bias.Length;
        Debug.Assert(top.Length == 2 * channels && bottom.Length == 2 * channels && pooled.Length == channels);
        ref var x = ref MemoryMarshal.GetReference(top);
        ref var y = ref MemoryMarshal.GetReference(bottom);
        ref var b = ref MemoryMarshal.GetReference(bias);
        ref var target = ref MemoryMarshal.GetReference(pooled);
        var c = 0;
        for (; c <= channels - Vector<float>.Count; c += Vector<float>.Count)
        {
            var shift = Vector.LoadUnsafe(ref b, (nuint)c);
            var upper = Vector.Max(Vector.LoadUnsafe(ref x, (nuint)c) + shift, Vector.LoadUnsafe(ref x, (nuint)(channels + c)) + shift);
            var lower = Vector.Max(Vector.LoadUnsafe(ref y, (nuint)c) + shift, Vector.LoadUnsafe(ref y, (nuint)(channels + c)) + shift);
            Vector.Max(Vector.Max(upper, lower), Vector<float>.Zero).StoreUnsafe(ref target, (nuint)c);
        }

        for (; c < channels; c++)
        {
            var upper = MathF.Max(top[c] + bias[c], top[channels + c] + bias[c]);
            var lower = MathF.Max(bottom[c] + bias[c], bottom[channels + c] + bias[c]);
            pooled[c] = MathF.Max(MathF.Max(upper, lower), 0);
        }
    }

    /// <summary>The gradient of <see cref="Forward"/> with respect to the four pixels, and added to the bias's.</summary>
    /// <param name="top">As in <see cref="Forward"/>.</param>
    /// <param name="bottom">As in <see cref="Forward"/>.</param>
    /// <param name="bias">As in <see cref="Forward"/>.</param>
    /// <param name="delta">The gradient with respect to what was pooled.</param>
    /// <param name="topDelta">Overwritten: the gradient with respect to <paramref name="top"/>.</param>
    /// <param name="bottomDelta">Overwritten: the gradient with respect to <paramref name="bottom"/>.</param>
    /// <param name="biasGradient">Added to.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(
        ReadOnlySpan<float> top, ReadOnlySpan<float> bottom, ReadOnlySpan<float> bias, ReadOnlySpan<float> delta,
        Span<float> topDelta, Span<float> bottomDelta, Span<float> biasGradient)
    {
        var channels = bias.Length;
        Debug.Assert(top.Length == 2 * channels && bottom.Length == 2 * channels && delta.Length == channels && biasGradient.Length == channels);
        Debug.Assert(topDelta.Length == 2 * channels && bottomDelta.Length == 2 * channels);
        ref var x = ref MemoryMarshal.GetReference(top);
        ref var y = ref MemoryMarshal.GetReference(bottom);
        ref var dx = ref MemoryMarshal.GetReference(topDelta);
        ref var dy = ref MemoryMarshal.GetReference(bottomDelta);
        var c = 0;
        for (; c <= channels - Vector<float>.Count; c += Vector<float>.Count)
        {
            var (near, far) = ((nuint)c, (nuint)(channels + c));
            var shift = Vector.LoadUnsafe(ref MemoryMarshal.GetReference(bias), near);
            var first = Vector.LoadUnsafe(ref x, near) + shift;
            var second = Vector.LoadUnsafe(ref x, far) + shift;
            var third = Vector.LoadUnsafe(ref y, near) + shift;
            var largest = Vector.Max(Vector.Max(first, second), Vector.Max(third, Vector.LoadUnsafe(ref y, far) + shift));
            var left = Vector.ConditionalSelect(
                Vector.GreaterThan(largest, Vector<float>.Zero), Vector.LoadUnsafe(ref MemoryMarshal.GetReference(delta), near), Vector<float>.Zero);
            (Vector.LoadUnsafe(ref MemoryMarshal.GetReference(biasGradient), near) + left).StoreUnsafe(ref MemoryMarshal.GetReference(biasGradient), near);

            // Whoever is largest takes what is left, and the next find nothing.
            left = Give(first, largest, left, ref dx, near);
            left = Give(second, largest, left, ref dx, far);
            left = Give(third, largest, left, ref dy, near);
            left.StoreUnsafe(ref dy, far);
        }

        for (; c < channels; c++)
        {
            var (first, second, third) = (top[c] + bias[c], top[channels + c] + bias[c], bottom[c] + bias[c]);
            var largest = MathF.Max(MathF.Max(first, second), MathF.Max(third, bottom[channels + c] + bias[c]));
            var left = largest > 0 ? delta[c] : 0;
            biasGradient[c] += left;
            (topDelta[c], left) = first == largest ? (left, 0f) : (0f, left);
            (topDelta[channels + c], left) = second == largest ? (left, 0f) : (0f, left);
            (bottomDelta[c], bottomDelta[channels + c]) = third == largest ? (left, 0f) : (0f, left);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Give(Vector<float> value, Vector<float> largest, Vector<float> left, ref float target, nuint at)
    {
        var isLargest = Vector.Equals(value, largest);
        Vector.ConditionalSelect(isLargest, left, Vector<float>.Zero).StoreUnsafe(ref target, at);
        return Vector.ConditionalSelect(isLargest, Vector<float>.Zero, left);
    }
}
