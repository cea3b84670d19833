using FedServerless.Numerics;
using FedServerless.Wire;

namespace FedServerless.Model;

/// <summary>The values of version 0 in flat order, as many at a time as somebody asks for; the same values however they are asked for.</summary>
internal sealed class InitialWeights
{
    private readonly TensorLayout _layout;
    private readonly DeterministicRandom? _random;
    private int _tensor;
    private long _drawn;
    private double _bound;

    /// <param name="spec">Legal.</param>
    /// <param name="layout">The spec's.</param>
    /// <param name="seed">Where the values come from.</param>
    public InitialWeights(ArchitectureSpec spec, TensorLayout layout, long seed)
    {
        _layout = layout;
        _random = spec.Name == Architectures.Softmax ? null : DeterministicRandom.Derive(seed, "architecture");
    }

    /// <summary>The next values: <c>(float)(bound · (2·NextDouble() − 1))</c> with bound = 1/√fan-in, or zero for softmax.</summary>
    public void Next(Span<float> values)
    {
        if (_random is null)
        {
            values.Clear();
            return;
        }

        while (!values.IsEmpty)
        {
            var tensor = _layout.Tensors[_tensor];
            if (_drawn == 0 && tensor.Shape.Count > 1)
            {
                // A layer's bias follows its weight and shares its bound.
                _bound = 1 / Math.Sqrt(tensor.Length / tensor.Shape[0]);
            }

            var count = (int)Math.Min(values.Length, tensor.Length - _drawn);
            foreach (ref var value in values[..count])
            {
                value = (float)(_bound * ((2 * _random.NextDouble()) - 1));
            }

            values = values[count..];
            _drawn += count;
            if (_drawn == tensor.Length)
            {
                (_tensor, _drawn) = (_tensor + 1, 0);
            }
        }
    }
}
