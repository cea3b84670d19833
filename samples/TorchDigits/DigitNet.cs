#region torch-module
using FedServerless.Client.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;

/// <summary>A convolution with batch norm, and two linear layers, for images of 8 × 8.</summary>
public sealed class DigitNet : nn.Module<Tensor, Tensor>
{
    /// <summary>What the federation calls the tensors: fields may be renamed, these names may not.</summary>
    public static readonly TensorNames Names = TensorNames.Same.Map("_conv", "conv").Map("_norm", "norm").Map("_hidden", "fc1").Map("_last", "fc2");

    private readonly Conv2d _conv = nn.Conv2d(1, 16, 3, padding: 1);
    private readonly BatchNorm2d _norm = nn.BatchNorm2d(16);
    private readonly Linear _hidden = nn.Linear(16 * 4 * 4, 64);
    private readonly Linear _last = nn.Linear(64, 10);

    public DigitNet()
        : base(nameof(DigitNet)) => RegisterComponents();

    public override Tensor forward(Tensor input)
    {
        var seen = nn.functional.max_pool2d(_norm.call(_conv.call(input)).relu(), 2);
        return _last.call(_hidden.call(seen.flatten(1)).relu());
    }
}
#endregion
