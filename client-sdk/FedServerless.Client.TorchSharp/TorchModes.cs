using TorchSharp;
using TorchSharp.Modules;

namespace FedServerless.Client.TorchSharp;

/// <summary>
/// Training mode and evaluation mode. Submodules that were in evaluation mode when their module was not, a batch norm held still for
/// instance, stay in it.
/// </summary>
internal sealed class TorchModes
{
    private readonly torch.nn.Module _module;
    private readonly torch.nn.Module[] _still;
    private readonly torch.nn.Module[] _batchNorms;
    private bool _single;

    public TorchModes(torch.nn.Module module)
    {
        _module = module;
        _still = module.training ? [.. module.modules().Where(inner => !inner.training)] : [];
        _batchNorms = [.. module.modules().Prepend(module).OfType<BatchNorm>()];
    }

    /// <param name="samples">
    /// Samples of the batch. Of a single one there is no variance: TorchSharp, unlike Python's PyTorch, would not throw but make the running one
    /// NaN for good. So batch norms then use their running statistics and leave them alone.
    /// </param>
    public void Train(int samples = int.MaxValue)
    {
        var single = samples == 1;
        if (_module.training && _single == single)
        {
            return;
        }

        _module.train();
        foreach (var still in single ? _still.Concat(_batchNorms) : _still)
        {
            still.eval();
        }

        _single = single;
    }

    public void Evaluate() => _module.eval();
}
