using TorchSharp;

namespace FedServerless.Client.TorchSharp;

/// <summary>
/// Training mode and evaluation mode. Submodules that were in evaluation mode when their module was not, a batch norm held still for
/// instance, stay in it.
/// </summary>
internal sealed class TorchModes
{
    private readonly torch.nn.Module _module;
    private readonly torch.nn.Module[] _still;

    public TorchModes(torch.nn.Module module)
    {
        _module = module;
        _still = module.training ? [.. module.modules().Where(inner => !inner.training)] : [];
    }

    public void Train()
    {
        if (_module.training)
        {
            return;
        }

        _module.train();
        foreach (var still in _still)
        {
            still.eval();
        }
    }

    public void Evaluate()
    {
        if (_module.training)
        {
            _module.eval();
        }
    }
}
