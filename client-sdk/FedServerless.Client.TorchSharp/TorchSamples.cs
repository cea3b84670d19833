using FedServerless.Client.Training;
using TorchSharp;

namespace FedServerless.Client.TorchSharp;

/// <summary>Local samples as batches of tensors. Derive from it what does not fit in memory.</summary>
public abstract class TorchSamples
{
    /// <summary>Number of samples, 1 or more.</summary>
    public abstract int Count { get; }

    /// <summary>Some samples, inputs and targets, a sample a row.</summary>
    /// <param name="indices">1 or more, each in [0, <see cref="Count"/>), in any order.</param>
    /// <returns>New tensors on any device; the caller disposes them.</returns>
    public abstract (torch.Tensor Inputs, torch.Tensor Targets) Batch(ReadOnlySpan<int> indices);

    /// <summary>Samples in two tensors.</summary>
    /// <param name="inputs">A sample a row. It stays the caller's and must outlive this.</param>
    /// <param name="targets">As many rows. It stays the caller's and must outlive this.</param>
    /// <exception cref="ArgumentException">There is no sample, or the tensors disagree on how many there are.</exception>
    public static TorchSamples Of(torch.Tensor inputs, torch.Tensor targets)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(targets);
        if (inputs.dim() == 0 || targets.dim() == 0 || inputs.shape[0] != targets.shape[0] || inputs.shape[0] is < 1 or > int.MaxValue)
        {
            throw new ArgumentException(
                $"Inputs are [{string.Join(", ", inputs.shape)}], targets [{string.Join(", ", targets.shape)}]; expected as many rows of each, 1 or more.", nameof(targets));
        }

        return new InTensors(inputs, targets);
    }

    /// <summary>Labelled samples: inputs [n, <paramref name="shape"/>], targets [n] of 64-bit integers. Copied once.</summary>
    /// <param name="samples">1 or more.</param>
    /// <param name="shape">Shape of a sample; none for a row of its features. Its product is the number of features.</param>
    /// <exception cref="ArgumentException">There is no sample, or the shape has another number of features.</exception>
    public static TorchSamples Of(LabelledSamples samples, params ReadOnlySpan<long> shape)
    {
        ArgumentNullException.ThrowIfNull(samples);
        long[] row = shape.Length == 0 ? [samples.FeatureCount] : shape.ToArray();
        if (samples.Count == 0 || row.Any(dimension => dimension < 1) || row.Aggregate(1L, (product, dimension) => product * dimension) != samples.FeatureCount)
        {
            throw new ArgumentException(
                $"{samples.Count} samples of {samples.FeatureCount} features cannot be [{string.Join(", ", row)}] each; expected 1 sample or more, and a shape of as many values.", nameof(shape));
        }

        var features = new float[(long)samples.Count * samples.FeatureCount];
        var labels = new long[samples.Count];
        for (var i = 0; i < labels.Length; i++)
        {
            samples.Features(i).CopyTo(features.AsSpan(i * samples.FeatureCount));
            labels[i] = samples.Label(i);
        }

        using var scope = torch.NewDisposeScope();
        var inputs = torch.frombuffer(features, torch.ScalarType.Float32).view([labels.Length, .. row]).DetachFromDisposeScope();
        return new InTensors(inputs, torch.frombuffer(labels, torch.ScalarType.Int64).DetachFromDisposeScope());
    }

    private sealed class InTensors(torch.Tensor inputs, torch.Tensor targets) : TorchSamples
    {
        public override int Count { get; } = (int)inputs.shape[0];

        public override (torch.Tensor Inputs, torch.Tensor Targets) Batch(ReadOnlySpan<int> indices)
        {
            var rows = new long[indices.Length];
            for (var i = 0; i < rows.Length; i++)
            {
                rows[i] = indices[i];
            }

            using var index = torch.tensor(rows).to(inputs.device);
            return (inputs.index_select(0, index), targets.index_select(0, index));
        }
    }
}
