using System.Numerics.Tensors;
using FedServerless.Client.Training;
using FedServerless.Model;
using TorchSharp;

namespace FedServerless.Client.TorchSharp;

/// <summary>
/// A TorchSharp module bound to local samples: what every local solver trains. Training runs in training mode, evaluation in
/// evaluation mode and without gradients.
/// </summary>
/// <remarks>
/// A batch norm's statistics and its count go into the model as they change. Dropout takes its chance from torch's own generator,
/// which <see cref="TorchTrainer"/> seeds. All tensors made on the way are disposed of before a call returns.
/// </remarks>
public sealed class TorchModel : IDifferentiableModel
{
    /// <summary>Samples that an evaluation passes through the module together.</summary>
    public const int EvaluationBatch = 256;

    private readonly TorchObjective _objective;
    private readonly TorchSamples _samples;
    private readonly TorchBinding _binding;
    private readonly torch.Tensor[] _parameters;

    /// <summary>Binds a module to a layout and to samples.</summary>
    /// <param name="objective">The module and its loss.</param>
    /// <param name="samples">1 or more samples.</param>
    /// <param name="layout">The layout of the federation's model.</param>
    /// <param name="options">Names, device, threads; null for the defaults.</param>
    /// <exception cref="ArgumentException">There is no sample, or the module is not of this layout; the message lists every difference.</exception>
    public TorchModel(TorchObjective objective, TorchSamples samples, TensorLayout layout, TorchOptions? options = null)
        : this(objective, samples, layout, options, staged: false)
    {
    }

    internal TorchModel(TorchObjective objective, TorchSamples samples, TensorLayout layout, TorchOptions? options, bool staged)
    {
        ArgumentNullException.ThrowIfNull(objective);
        ArgumentNullException.ThrowIfNull(samples);
        ArgumentOutOfRangeException.ThrowIfLessThan(samples.Count, 1, nameof(samples));
        _objective = objective;
        _samples = samples;
        _binding = new TorchBinding(objective.Module, layout, options, staged);
        _parameters = [.. _binding.Tensors.Take(layout.Tensors.Count(tensor => tensor.Role == TensorRole.Parameter))];
    }

    /// <inheritdoc/>
    public TensorLayout Layout => _binding.Layout;

    /// <inheritdoc/>
    public int SampleCount => _samples.Count;

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The loss is not one number, or does not depend on the parameters; or a buffer is no longer finite.</exception>
    public double LossAndGradient(ModelState model, ReadOnlySpan<int> batch, Span<float> gradient)
    {
        ArgumentOutOfRangeException.ThrowIfZero(batch.Length, nameof(batch));
        ArgumentOutOfRangeException.ThrowIfNotEqual(gradient.Length, (int)Layout.ParameterCount);
        _binding.Load(model);
        _objective.Modes.Train(batch.Length);
        using var scope = torch.NewDisposeScope();
        var (inputs, targets) = Batch(batch);
        var loss = _objective.Loss(_objective.Forward(inputs), targets);
        ThrowIfNoObjective(loss);
        try
        {
            loss.backward(inputs: _parameters);
            CopyGradients(gradient);
        }
        finally
        {
            foreach (var parameter in _parameters)
            {
                parameter.grad = null;
            }
        }

        _binding.Store(model);
        ThrowIfWorthless(model, batch.Length);
        return loss.ToDouble();
    }

    /// <inheritdoc/>
    public EvaluationResult Evaluate(ModelState model, CancellationToken cancellationToken)
    {
        _binding.Load(model);
        _objective.Modes.Evaluate();
        using var noGradient = torch.no_grad();
        var indices = new int[Math.Min(EvaluationBatch, SampleCount)];
        var (loss, correct) = (0.0, (long?)0);
        for (var start = 0; start < SampleCount; start += EvaluationBatch)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var rows = indices.AsSpan(0, Math.Min(EvaluationBatch, SampleCount - start));
            for (var i = 0; i < rows.Length; i++)
            {
                rows[i] = start + i;
            }

            using var scope = torch.NewDisposeScope();
            var (inputs, targets) = Batch(rows);
            var outputs = _objective.Forward(inputs);
            loss += _objective.Loss(outputs, targets).ToDouble() * rows.Length;
            correct += _objective.Correct(outputs, targets);
        }

        return new EvaluationResult(SampleCount, loss / SampleCount, (double?)correct / SampleCount);
    }

    private static void ThrowIfNoObjective(torch.Tensor loss)
    {
        if (loss.numel() != 1)
        {
            throw new InvalidOperationException($"The loss is [{string.Join(", ", loss.shape)}]; expected one number, the mean of the batch.");
        }

        if (!loss.requires_grad)
        {
            throw new InvalidOperationException("The loss does not depend on the module's parameters; expected one made of the module's outputs, with gradients on.");
        }
    }

    private static void ThrowIfWorthless(ModelState model, int samples)
    {
        if (model.Buffers.Length > 0 && !TensorPrimitives.IsFiniteAll<float>(model.Buffers))
        {
            throw new InvalidOperationException(
                $"A buffer of the module is not finite after a batch of {samples}; the batch's statistics are not, then, or the weights have diverged.");
        }
    }

    private (torch.Tensor Inputs, torch.Tensor Targets) Batch(ReadOnlySpan<int> indices)
    {
        var (inputs, targets) = _samples.Batch(indices);
        return _binding.Device.type == DeviceType.CPU ? (inputs, targets) : (inputs.to(_binding.Device), targets.to(_binding.Device));
    }

    private void CopyGradients(Span<float> gradient)
    {
        for (var i = 0; i < _parameters.Length; i++)
        {
            var destination = gradient.Slice((int)Layout.Offsets[i], (int)Layout.Tensors[i].Length);
            if (_parameters[i].grad is { } found)
            {
                TorchTensors.CopyTo(found, destination);
            }
            else
            {
                // The loss did not use it.
                destination.Clear();
            }
        }
    }
}
