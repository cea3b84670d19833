namespace FedServerless.Wire.Updates;

/// <summary>Training produced NaN or an infinity, so there is no update to send. Usually the learning rate is too high.</summary>
public sealed class NonFiniteUpdateException(string tensor, long element)
    : ArithmeticException($"Element {element} of tensor '{tensor}' is not finite after training; nothing was sent. A lower learning rate usually helps.")
{
    /// <summary>The first tensor with such a value.</summary>
    public string Tensor { get; } = tensor;

    /// <summary>Position of the value in that tensor, row major.</summary>
    public long Element { get; } = element;
}
