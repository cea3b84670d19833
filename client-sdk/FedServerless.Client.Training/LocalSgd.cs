using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Optimization;
using FedServerless.Wire;

namespace FedServerless.Client.Training;

/// <summary>
/// Mini-batch stochastic gradient descent on local samples, ClientUpdate of McMahan et al. 2017 (arXiv:1602.05629, algorithm 1),
/// with heavy-ball momentum, weight decay and FedProx's proximal term (Li et al. 2020, arXiv:1812.06127, equation 2).
/// </summary>
/// <remarks>
/// <para>A step at weights w with mean batch gradient ∇, w₀ being the round's global weights:
/// <c>g = ∇ + decay·w + µ·(w − w₀)</c>, <c>v = momentum·v + g</c>, <c>w = w − rate·v</c>. A solver with memory adds its correction to ∇.</para>
/// <para>Momentum starts at zero every round. Every epoch walks a fresh permutation of all samples; a last partial batch is kept,
/// and weighs as much as a full one. Batch size 0, or above the sample count, is one step an epoch over all samples in their
/// own order.</para>
/// <para>The same model, samples, settings and seed give the same bytes on the same machine, and with a built-in model on any two x64
/// machines with AVX2, whether they have AVX-512 or not; narrower vectors round sums differently. Scratch memory is kept between calls, which must not overlap.</para>
/// </remarks>
public sealed class LocalSgd
{
    private readonly LocalStep _step = new();
    private float[] _gradient = [];
    private int[] _order = [];

    /// <summary>Trains <paramref name="model"/> in place.</summary>
    /// <param name="objective">Loss and gradient on local samples.</param>
    /// <param name="model">The round's global model; holds the trained one on return, or a partly trained one after a throw.</param>
    /// <param name="training">Epochs, batch size, rate, momentum, decay, µ; each in its documented range.</param>
    /// <param name="seed">Where the permutations come from.</param>
    /// <param name="cancellationToken">Looked at before every step.</param>
    /// <returns>Steps and losses. Stops early when the loss is not finite; see <see cref="LocalSgdResult.Diverged"/>.</returns>
    /// <exception cref="ArgumentException">The layouts differ, or a setting is out of its range.</exception>
    public LocalSgdResult Fit(
        IDifferentiableModel objective, ModelState model, TrainingSpec training, long seed, CancellationToken cancellationToken = default) =>
        Fit(objective, model, training, seed, correction: default, cancellationToken);

    /// <summary>Trains <paramref name="model"/> in place, every gradient corrected: <c>g = ∇ + correction + decay·w + µ·(w − w₀)</c>.</summary>
    /// <param name="objective">Loss and gradient on local samples.</param>
    /// <param name="model">The round's global model; holds the trained one on return, or a partly trained one after a throw.</param>
    /// <param name="training">Epochs, batch size, rate, momentum, decay, µ; each in its documented range.</param>
    /// <param name="seed">Where the permutations come from.</param>
    /// <param name="correction"><see cref="FitContext.Correction"/>: one value a parameter, or none.</param>
    /// <param name="cancellationToken">Looked at before every step.</param>
    /// <returns>Steps and losses. Stops early when the loss is not finite; see <see cref="LocalSgdResult.Diverged"/>.</returns>
    /// <exception cref="ArgumentException">The layouts differ, a setting is out of its range, or the solver needs a correction and has none.</exception>
    public LocalSgdResult Fit(
        IDifferentiableModel objective, ModelState model, TrainingSpec training, long seed, ReadOnlySpan<float> correction,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(objective);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(training);
        ThrowIfOutOfRange(training);
        ThrowIfOtherLayout(objective, model);
        if (correction.Length != (LocalSolvers.Create(training).HasMemory ? model.Parameters.Length : 0))
        {
            throw new ArgumentException(
                $"The solver '{training.Solver}' has a correction of {correction.Length} values for {model.Parameters.Length} parameters; expected one for each where it has a memory, else none.",
                nameof(correction));
        }

        Begin(objective.SampleCount, model.Parameters, training);

        var samples = objective.SampleCount;
        var batchSize = training.BatchSize == 0 ? samples : Math.Min(training.BatchSize, samples);
        var random = DeterministicRandom.Derive(seed, "local-sgd");
        var (steps, firstLoss, epochLoss) = (0, double.NaN, double.NaN);
        for (var epoch = 0; epoch < training.Epochs; epoch++)
        {
            if (batchSize < samples)
            {
                random.Shuffle<int>(_order);
            }

            var total = 0.0;
            for (var start = 0; start < samples; start += batchSize)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var batch = _order.AsSpan(start, Math.Min(batchSize, samples - start));
                var loss = objective.LossAndGradient(model, batch, _gradient);
                firstLoss = steps++ == 0 ? loss : firstLoss;
                if (!double.IsFinite(loss))
                {
                    return new LocalSgdResult(steps, firstLoss, loss);
                }

                _step.Apply(model.Parameters, _gradient, training, correction);
                total += loss * batch.Length;
            }

            epochLoss = total / samples;
        }

        return new LocalSgdResult(steps, firstLoss, epochLoss);
    }

    internal static void ThrowIfOutOfRange(TrainingSpec training)
    {
        // The ranges that TrainingSpec documents; a comparison that NaN fails throws.
        Check(training.Epochs is >= 1 and <= 1000, nameof(training.Epochs), training.Epochs, "1 to 1000");
        Check(training.BatchSize is >= 0 and <= 1_000_000, nameof(training.BatchSize), training.BatchSize, "0 to 1 000 000");
        Check(training.LearningRate is > 0 and <= 1000, nameof(training.LearningRate), training.LearningRate, "above 0, at most 1000");
        Check(training.Momentum is >= 0 and < 1, nameof(training.Momentum), training.Momentum, "0 or more, below 1");
        Check(training.WeightDecay is >= 0 and <= 1, nameof(training.WeightDecay), training.WeightDecay, "0 to 1");
        Check(training.ProximalMu is >= 0 and <= 1000, nameof(training.ProximalMu), training.ProximalMu, "0 to 1000");

        static void Check(bool right, string setting, double value, string expected)
        {
            if (!right)
            {
                throw new ArgumentOutOfRangeException(nameof(training), $"{setting} is {value}; expected {expected}.");
            }
        }
    }

    internal static void ThrowIfOtherLayout(IDifferentiableModel objective, ModelState model)
    {
        if (objective.Layout.Digest != model.Layout.Digest)
        {
            throw new ArgumentException(
                $"The model's layout is {model.Layout.Digest}, the objective's {objective.Layout.Digest}; expected the same tensors.",
                nameof(model));
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(objective.SampleCount, 1, nameof(objective));
    }

    private void Begin(int samples, ReadOnlySpan<float> parameters, TrainingSpec training)
    {
        _step.Begin(parameters, training);
        LocalStep.Resize(ref _gradient, parameters.Length);
        LocalStep.Resize(ref _order, samples);
        for (var i = 0; i < samples; i++)
        {
            _order[i] = i;
        }
    }
}
