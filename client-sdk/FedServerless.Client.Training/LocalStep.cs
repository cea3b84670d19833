using System.Numerics.Tensors;
using FedServerless.Wire;

namespace FedServerless.Client.Training;

/// <summary>
/// One step of a local solver, given a gradient: decay, the proximal term, momentum. A function of the weights and the gradient
/// alone, so that of a noised gradient it is post-processing.
/// </summary>
internal sealed class LocalStep
{
    private float[] _velocity = [];
    private float[] _anchor = [];
    private float[] _distance = [];

    /// <summary>A round begins at these weights: momentum is zero.</summary>
    public void Begin(ReadOnlySpan<float> parameters, TrainingSpec training)
    {
        Resize(ref _velocity, training.Momentum > 0 ? parameters.Length : 0);
        Resize(ref _anchor, training.ProximalMu > 0 ? parameters.Length : 0);
        Resize(ref _distance, _anchor.Length);
        _velocity.AsSpan().Clear();
        parameters[.._anchor.Length].CopyTo(_anchor);
    }

    /// <summary>Moves the weights; <paramref name="gradient"/> is scratch afterwards. An empty correction is none.</summary>
    public void Apply(Span<float> weights, Span<float> gradient, TrainingSpec training, ReadOnlySpan<float> correction = default)
    {
        if (correction.Length > 0)
        {
            TensorPrimitives.Add(gradient, correction, gradient);
        }

        if (training.WeightDecay > 0)
        {
            TensorPrimitives.MultiplyAdd(weights, (float)training.WeightDecay, gradient, gradient);
        }

        if (training.ProximalMu > 0)
        {
            // w − w₀ first: µ·w and µ·w₀ apart would cancel to rounding noise.
            TensorPrimitives.Subtract(weights, _anchor, _distance);
            TensorPrimitives.MultiplyAdd(_distance, (float)training.ProximalMu, gradient, gradient);
        }

        if (training.Momentum > 0)
        {
            TensorPrimitives.MultiplyAdd(_velocity, (float)training.Momentum, gradient, _velocity);
            gradient = _velocity;
        }

        TensorPrimitives.MultiplyAdd(gradient, -(float)training.LearningRate, weights, weights);
    }

    public static void Resize<T>(ref T[] array, int length)
    {
        if (array.Length != length)
        {
            array = new T[length];
        }
    }
}
