using FedServerless.Model;
using FedServerless.Numerics;

namespace FedServerless.Wire.Updates;

/// <summary>Training produced NaN or an infinity, so there is no update to send. Usually the learning rate is too high.</summary>
public sealed class NonFiniteUpdateException(string tensor, long element)
    : ArithmeticException($"Element {element} of tensor '{tensor}' is not finite after training; nothing was sent. A lower learning rate usually helps.")
{
    /// <summary>The first tensor with such a value.</summary>
    public string Tensor { get; } = tensor;

    /// <summary>Position of the value in that tensor, row major.</summary>
    public long Element { get; } = element;

    /// <summary>Throws where a value is not finite.</summary>
    /// <param name="layout">The model's tensors.</param>
    /// <param name="values">A piece of its flat vector.</param>
    /// <param name="first">Where the piece begins.</param>
    internal static void ThrowIfAny(TensorLayout layout, ReadOnlySpan<float> values, long first)
    {
        if (FiniteValues.FirstNonFinite(values) is >= 0 and var at)
        {
            throw At(layout, first + at);
        }
    }

    /// <summary>Names the tensor and element at a position of the flat vector.</summary>
    internal static NonFiniteUpdateException At(TensorLayout layout, long position)
    {
        var tensor = 0;
        while (position >= layout.Offsets[tensor] + layout.Tensors[tensor].Length)
        {
            tensor++;
        }

        return new NonFiniteUpdateException(layout.Tensors[tensor].Name, position - layout.Offsets[tensor]);
    }
}
