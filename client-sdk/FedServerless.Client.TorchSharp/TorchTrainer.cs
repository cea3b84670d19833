using System.Runtime.InteropServices;
using FedServerless.Client.Training;
using FedServerless.Model;
using TorchSharp;

namespace FedServerless.Client.TorchSharp;

/// <summary>
/// A trainer of a TorchSharp module. Before each round torch's generator is seeded with the round's seed, so that dropout repeats
/// itself: same model, samples, settings, seed and threads, same bits.
/// </summary>
/// <remarks>
/// That generator is the whole process's: train one client at a time in a process, or do without modules that draw from it. A seed
/// fixes what runs on the CPU; other devices may round otherwise each time.
/// </remarks>
public sealed class TorchTrainer : IFedTrainer
{
    private readonly IFedTrainer _solver;

    /// <summary>Seeds torch for any trainer of <see cref="TorchModel"/>s.</summary>
    /// <param name="solver">Does the work; made with <see cref="Models"/>, or of one's own.</param>
    public TorchTrainer(IFedTrainer solver)
    {
        ArgumentNullException.ThrowIfNull(solver);
        _solver = solver;
    }

    /// <inheritdoc/>
    public bool FollowsCorrection => _solver.FollowsCorrection;

    /// <summary>A trainer with the built-in local solver.</summary>
    /// <param name="objective">The module and its loss.</param>
    /// <param name="training">Samples to train on.</param>
    /// <param name="heldOut">Samples to evaluate on; null evaluates on the training samples.</param>
    /// <param name="options">Names, device, threads; null for the defaults.</param>
    public static TorchTrainer Create(
        TorchObjective objective, TorchSamples training, TorchSamples? heldOut = null, TorchOptions? options = null) =>
        new(new LocalTrainer(Models(objective, training, options), heldOut is null ? null : Models(objective, heldOut, options)));

    /// <summary>A trainer with a training loop, and an optimizer, of one's own.</summary>
    /// <param name="module">The module. It holds the round's model when a method is called, and is in the mode that it needs.</param>
    /// <param name="fit">Trains the module; what it then holds is the update. It runs in a dispose scope.</param>
    /// <param name="evaluate">Measures the module, without gradients, in a dispose scope; null for a client that does not evaluate.</param>
    /// <param name="options">Names, device, threads; null for the defaults.</param>
    public static TorchTrainer Create(
        torch.nn.Module module,
        Func<FitContext, CancellationToken, FitResult> fit,
        Func<EvaluateContext, CancellationToken, EvaluationResult>? evaluate = null,
        TorchOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(fit);
        return new TorchTrainer(new TorchLoop(module, fit, evaluate, options));
    }

    /// <summary>Makes a module the model of any solver that takes one: <see cref="LocalTrainer"/> and its like.</summary>
    /// <param name="objective">The module and its loss.</param>
    /// <param name="samples">The samples it is bound to.</param>
    /// <param name="options">Names, device, threads; null for the defaults.</param>
    public static Func<TensorLayout, IDifferentiableModel> Models(TorchObjective objective, TorchSamples samples, TorchOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(objective);
        ArgumentNullException.ThrowIfNull(samples);
        return layout => new TorchModel(objective, samples, layout, options);
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">libtorch refused an operation; or what the solver throws.</exception>
    public async ValueTask<FitResult> FitAsync(FitContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        Seed(context.Seed);
        try
        {
            return await _solver.FitAsync(context, cancellationToken).ConfigureAwait(false);
        }
        catch (ExternalException refusal)
        {
            throw InOneLine(refusal);
        }
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">libtorch refused an operation; or what the solver throws.</exception>
    public async ValueTask<EvaluationResult> EvaluateAsync(EvaluateContext context, CancellationToken cancellationToken)
    {
        try
        {
            return await _solver.EvaluateAsync(context, cancellationToken).ConfigureAwait(false);
        }
        catch (ExternalException refusal)
        {
            throw InOneLine(refusal);
        }
    }

    /// <summary>libtorch appends a trace of its own frames, dozens of lines, to what it has to say.</summary>
    private static InvalidOperationException InOneLine(ExternalException refusal) =>
        new($"libtorch: {refusal.Message.TrimStart().Split('\n', 2)[0].TrimEnd()}", refusal);

    private static void Seed(long seed)
    {
        using var generator = torch.random.manual_seed(seed);
        if (torch.cuda.is_available())
        {
            // Unlike Python's, the call above seeds the CPU's generator alone.
            torch.cuda.manual_seed_all(seed);
        }
    }
}
