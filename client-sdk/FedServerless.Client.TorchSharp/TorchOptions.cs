using FedServerless.Client.Training;
using TorchSharp;

namespace FedServerless.Client.TorchSharp;

/// <summary>How a module takes part.</summary>
public sealed record TorchOptions
{
    /// <summary>The federation's names of the module's tensors. Default: the module's own, which are its fields'.</summary>
    public TensorNames Names { get; init; } = TensorNames.Same;

    /// <summary>
    /// Where the module runs; null for the CPU, the default. The module is moved there when it is bound: do not move it afterwards.
    /// </summary>
    public torch.Device? Device { get; init; }

    /// <summary>
    /// Threads of an operation, for the whole process; 0 leaves what is set. Default 1: the same work then gives the same bits, and
    /// on a machine that does other work too, threads that wait for each other cost more than they give.
    /// </summary>
    public int Threads { get; init; } = 1;

    internal torch.Device DeviceOrCpu => Device ?? torch.CPU;

    /// <exception cref="ArgumentOutOfRangeException">The threads are negative.</exception>
    internal void Apply()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(Threads);
        if (Threads > 0 && torch.get_num_threads() != Threads)
        {
            torch.set_num_threads(Threads);
        }
    }
}
