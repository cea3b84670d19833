using TorchSharp;

namespace FedServerless.Client.TorchSharp;

/// <summary>A module and what it is trained for.</summary>
public sealed class TorchObjective
{
    /// <summary>Of a module from one tensor to one tensor.</summary>
    /// <param name="module">The module. It stays the caller's.</param>
    /// <param name="loss">From outputs and targets to the mean loss of the batch, a tensor of one number.</param>
    public TorchObjective(torch.nn.Module<torch.Tensor, torch.Tensor> module, Func<torch.Tensor, torch.Tensor, torch.Tensor> loss)
        : this(module, (module ?? throw new ArgumentNullException(nameof(module))).call, loss)
    {
    }

    /// <summary>Of any module.</summary>
    /// <param name="module">The module. It stays the caller's.</param>
    /// <param name="forward">From a batch's inputs to its outputs, through the module's <c>call</c>.</param>
    /// <param name="loss">From outputs and targets to the mean loss of the batch, a tensor of one number.</param>
    public TorchObjective(
        torch.nn.Module module, Func<torch.Tensor, torch.Tensor> forward, Func<torch.Tensor, torch.Tensor, torch.Tensor> loss)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(forward);
        ArgumentNullException.ThrowIfNull(loss);
        (Module, Forward, Loss, Modes) = (module, forward, loss, new TorchModes(module));
    }

    /// <summary>The module.</summary>
    public torch.nn.Module Module { get; }

    /// <summary>From a batch's inputs to its outputs.</summary>
    public Func<torch.Tensor, torch.Tensor> Forward { get; }

    /// <summary>From outputs and targets to the mean loss of the batch.</summary>
    public Func<torch.Tensor, torch.Tensor, torch.Tensor> Loss { get; }

    /// <summary>
    /// How many of a batch's outputs are right; null for what has no right or wrong. Default: where the outputs are a row of scores a
    /// sample and the targets a class a sample, the samples whose class has the highest score; null elsewhere.
    /// </summary>
    public Func<torch.Tensor, torch.Tensor, long?> Correct { get; init; } = CountHighest;

    /// <summary>The modes that the module's parts had before anything was trained or measured.</summary>
    internal TorchModes Modes { get; }

    private static long? CountHighest(torch.Tensor outputs, torch.Tensor targets) =>
        outputs.dim() == 2 && targets.dim() == 1 && targets.dtype == torch.int64
            ? outputs.argmax(1).eq(targets).sum().item<long>()
            : null;
}
