using FedServerless.Model;
using FedServerless.Optimization;
using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Client.Training;

/// <summary>
/// Differentially private stochastic gradient descent on local examples: Abadi et al. 2016, arXiv:1607.00133, algorithm 1, for a site that does not
/// trust the server. The unit is one example, the adjacency add or remove one.
/// </summary>
/// <remarks>
/// <para>A step: every example is in the batch by its own coin of probability q, and a batch may be empty; each example's gradient is taken alone and
/// clipped to norm C over all parameters jointly, the norm in double; the clipped gradients are summed in integers on a grid of step C·2⁻ᵏ, one discrete
/// Gaussian of deviation z·C is added to every coordinate, and the result is divided by the declared q·N. Weight decay, the proximal term and momentum
/// follow and are post-processing. Coins and noise come from the operating system's cryptographic generator, never from the round's seed, which the
/// server knows.</para>
/// <para>A round is <c>⌈epochs/q⌉</c> steps, at most <see cref="DpSgdOptions.MaxStepsPerRound"/>; the server's batch size has no effect. All steps are
/// charged to the ledger before the first coin: killed at any moment, a round was never charged too little, and one that is repeated draws anew and is
/// charged again.</para>
/// <para>Scratch memory is kept between calls, which must not overlap. docs/how-to/train-with-local-privacy.md says what is not covered.</para>
/// </remarks>
public sealed class DpSgd
{
    private readonly DpSgdOptions _options;
    private readonly DpSgdLedger _ledger;
    private readonly EntropySource _entropy;
    private readonly LocalStep _step = new();
    private float[] _gradient = [];
    private long[] _sums = [];
    private double[] _mean = [];

    /// <summary>A solver with the site's options.</summary>
    /// <exception cref="ArgumentException">Options are out of their ranges; all problems at once.</exception>
    public DpSgd(DpSgdOptions options)
        : this(options, SystemEntropy.Instance)
    {
    }

    internal DpSgd(DpSgdOptions options, EntropySource entropy)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _ledger, _entropy) = (options, new DpSgdLedger(options), entropy);
    }

    /// <summary>What was spent so far.</summary>
    /// <exception cref="InvalidDataException">The ledger is damaged.</exception>
    /// <exception cref="IOException">It cannot be read, or another process is charging it.</exception>
    public DpSgdReport Report() => _ledger.Report();

    /// <summary>Charges a round and trains <paramref name="model"/> in place.</summary>
    /// <param name="objective">Gradients on local examples; the gradient of a batch of one must depend on no other example.</param>
    /// <param name="model">The round's global model, parameters only; holds the trained one on return.</param>
    /// <param name="training">Epochs, rate, momentum, decay, µ; each in its documented range.</param>
    /// <param name="run">The run, for the ledger.</param>
    /// <param name="round">The round, for the ledger.</param>
    /// <param name="cancellationToken">Looked at before every step. The charge stays.</param>
    /// <returns>Steps taken.</returns>
    /// <exception cref="ArgumentException">The layouts differ, have buffers or integers, or a setting is out of its range.</exception>
    /// <exception cref="PrivacyBudgetSpentException">The budget does not admit the round.</exception>
    /// <exception cref="InvalidDataException">The ledger is damaged.</exception>
    /// <exception cref="IOException">The ledger cannot be written, or another process has it.</exception>
    public int Fit(
        IDifferentiableModel objective, ModelState model, TrainingSpec training, string run, int round, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(objective);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(training);
        ArgumentException.ThrowIfNullOrEmpty(run);
        LocalSgd.ThrowIfOutOfRange(training);
        LocalSgd.ThrowIfOtherLayout(objective, model);
        ThrowIfOtherSolver(training);
        ThrowIfNotCovered(objective, model.Layout);

        var dimension = model.Parameters.Length;
        var grid = new UpdateGrid(_options.ClipNorm, UpdateGrid.BitsFor(dimension));
        var steps = _options.Steps(training.Epochs);
        _ledger.Charge(new DpSgdLedgerEntry(
            run, round, model.Layout.Digest.ToString(), _options.SamplingRate, _options.NoiseMultiplier, grid.Bits, _options.ClipNorm, steps));

        var coin = new PoissonCoin(_options.SamplingRate, _entropy);
        var noise = DiscreteGaussian.OnGrid(_options.NoiseMultiplier, grid.Bits, _entropy);
        var sum = new ClippedSum(objective, grid);
        LocalStep.Resize(ref _gradient, dimension);
        LocalStep.Resize(ref _sums, dimension);
        LocalStep.Resize(ref _mean, dimension);
        _step.Begin(model.Parameters, training);
        for (var step = 0; step < steps; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            PrivateGradient(model, objective.SampleCount, coin, sum, noise, grid);
            _step.Apply(model.Parameters, _gradient, training);
        }

        return steps;
    }

    private void PrivateGradient(
        ModelState model, int samples, PoissonCoin coin, ClippedSum sum, DiscreteGaussian noise, UpdateGrid grid)
    {
        Array.Clear(_sums);
        for (var sample = 0; sample < samples; sample++)
        {
            if (coin.Toss())
            {
                sum.Add(model, sample, _gradient, _sums);
            }
        }

        noise.AddTo(_sums);
        grid.Complete(_sums, _options.ExpectedBatch, _mean);
        for (var i = 0; i < _mean.Length; i++)
        {
            _gradient[i] = (float)_mean[i];
        }
    }

    private static void ThrowIfOtherSolver(TrainingSpec training)
    {
        if (training.Solver != LocalSolvers.Sgd)
        {
            throw new ArgumentException(
                $"The solver is '{training.Solver}', which reckons with steps and memories that DP-SGD does not have; expected '{LocalSolvers.Sgd}'.", nameof(training));
        }
    }

    private void ThrowIfNotCovered(IDifferentiableModel objective, TensorLayout layout)
    {
        if (layout.Tensors.FirstOrDefault(tensor => tensor.Role != TensorRole.Parameter) is { } other)
        {
            throw new ArgumentException(
                $"Tensor '{other.Name}' is a {other.Role.ToString().ToLowerInvariant()}, which no noise covers; expected a model of parameters only.", nameof(objective));
        }

        if (DeltaRule.Judge(_options.Budget.Delta, objective.SampleCount) == DeltaVerdict.Meaningless)
        {
            throw new ArgumentException(
                $"A δ of {_options.Budget.Delta} promises nothing to one of so many examples; expected the declared number, {_options.Samples}, near the true one.", nameof(objective));
        }
    }
}
