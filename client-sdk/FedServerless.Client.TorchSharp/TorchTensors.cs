using System.Runtime.InteropServices;
using FedServerless.Client.Training;
using FedServerless.Model;
using TorchSharp;

namespace FedServerless.Client.TorchSharp;

/// <summary>The tensors of a module: parameters, then persistent buffers, a shared one once, under its first name.</summary>
internal sealed class TorchTensors
{
    private TorchTensors(List<torch.Tensor> tensors, List<ModuleTensor> described) => (Tensors, Described) = (tensors, described);

    /// <summary>The tensors themselves, not copies.</summary>
    public IReadOnlyList<torch.Tensor> Tensors { get; }

    /// <summary>What each of them is.</summary>
    public IReadOnlyList<ModuleTensor> Described { get; }

    public static TorchTensors Of(torch.nn.Module module)
    {
        var tensors = new List<torch.Tensor>();
        var described = new List<ModuleTensor>();
        foreach (var (name, parameter) in module.named_parameters())
        {
            Add(name, parameter, parameter.requires_grad ? ModuleTensorKind.Trained : ModuleTensorKind.Frozen);
        }

        foreach (var (name, buffer) in module.named_buffers(include_nonpersistent: false))
        {
            Add(name, buffer, ModuleTensorKind.Buffer);
        }

        return new TorchTensors(tensors, described);

        void Add(string name, torch.Tensor tensor, ModuleTensorKind kind)
        {
            tensors.Add(tensor);
            described.Add(new ModuleTensor(name, tensor.shape, kind, tensor.dtype.ToString()));
        }
    }

    /// <summary>Copies a tensor's values, wherever they are and however they are strided.</summary>
    public static void CopyTo<T>(torch.Tensor tensor, Span<T> destination)
        where T : unmanaged
    {
        using var scope = torch.NewDisposeScope();
        var dense = tensor.is_sparse ? tensor.to_dense() : tensor.detach();
        MemoryMarshal.Cast<byte, T>(dense.cpu().contiguous().bytes).CopyTo(destination);
    }

    /// <summary>Copies the values of a layout's tensors, given in its order, into a model of that layout.</summary>
    public static void CopyTo(IReadOnlyList<torch.Tensor> tensors, ModelState state)
    {
        for (var i = 0; i < tensors.Count; i++)
        {
            var (offset, length) = ((int)state.Layout.Offsets[i], (int)state.Layout.Tensors[i].Length);
            if (state.Layout.Tensors[i].Role == TensorRole.Integer)
            {
                CopyTo(tensors[i], state.Integers.AsSpan(offset, length));
            }
            else
            {
                CopyTo(tensors[i], state.Values.AsSpan(offset, length));
            }
        }
    }

    /// <summary>The tensors of a layout, in its order.</summary>
    /// <exception cref="ArgumentException">The module is not of this layout; the message lists every difference.</exception>
    public torch.Tensor[] Of(TensorLayout layout, TensorNames? names) =>
        [.. ModuleLayout.Match(layout, Described, names).Select(index => Tensors[index])];

    /// <summary>A model of the values of a layout's tensors.</summary>
    public static ModelState Read(IReadOnlyList<torch.Tensor> tensors, TensorLayout layout)
    {
        var state = new ModelState(layout, new float[layout.FloatCount], new long[layout.IntegerCount]);
        CopyTo(tensors, state);
        return state;
    }
}
