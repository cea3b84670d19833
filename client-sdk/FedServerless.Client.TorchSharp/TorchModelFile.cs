using FedServerless.Client.Training;
using FedServerless.Model;
using TorchSharp;

namespace FedServerless.Client.TorchSharp;

/// <summary>A module as a safetensors file: version 0 for an operator's <c>fed model put</c>, and any later version back into a module.</summary>
public static class TorchModelFile
{
    /// <summary>The module's values as a model. Parameters that take a gradient are parameters; others, and buffers, take the mean.</summary>
    /// <param name="module">The module; left as it is.</param>
    /// <param name="names">The federation's names; null for the module's own.</param>
    /// <exception cref="ArgumentException">The module is no model for a federation; the message lists every problem.</exception>
    public static ModelState Read(torch.nn.Module module, TensorNames? names = null)
    {
        ArgumentNullException.ThrowIfNull(module);
        var own = TorchTensors.Of(module);
        var layout = ModuleLayout.Create(own.Described, names);
        return TorchTensors.Read(own.Of(layout, names), layout);
    }

    /// <summary>Writes a module with its tensors' roles.</summary>
    /// <param name="module">The module; left as it is.</param>
    /// <param name="stream">Takes the file; left open.</param>
    /// <param name="names">The federation's names; null for the module's own.</param>
    /// <exception cref="ArgumentException">The module is no model for a federation; the message lists every problem.</exception>
    public static void Write(torch.nn.Module module, Stream stream, TensorNames? names = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ModelStateFile.Write(Read(module, names), stream);
    }

    /// <summary>Writes a module with its tensors' roles.</summary>
    /// <param name="module">The module; left as it is.</param>
    /// <param name="path">The file; one that is there is replaced.</param>
    /// <param name="names">The federation's names; null for the module's own.</param>
    /// <exception cref="ArgumentException">The module is no model for a federation; the message lists every problem.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(torch.nn.Module module, string path, TensorNames? names = null)
    {
        // Read first: a module that is refused must not cost a file that is there.
        var state = Read(module, names);
        using var file = File.Create(path);
        ModelStateFile.Write(state, file);
    }

    /// <summary>Copies a file's values into a module: a version that the federation has made, to be used.</summary>
    /// <param name="module">The module.</param>
    /// <param name="path">A safetensors file.</param>
    /// <param name="names">The federation's names; null for the module's own.</param>
    /// <exception cref="ArgumentException">The file is of another model; the message lists every difference.</exception>
    /// <exception cref="InvalidDataException">It is not a safetensors file of float32 and int64 tensors.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static void Load(torch.nn.Module module, string path, TensorNames? names = null)
    {
        ArgumentNullException.ThrowIfNull(module);
        ModelState state;
        using (var file = File.OpenRead(path))
        {
            state = ModelStateFile.Read(file, file.Length);
        }

        Load(module, state, names);
    }

    /// <summary>Copies a model's values into a module.</summary>
    /// <param name="module">The module.</param>
    /// <param name="state">The model.</param>
    /// <param name="names">The federation's names; null for the module's own.</param>
    /// <exception cref="ArgumentException">It is another model; the message lists every difference.</exception>
    public static void Load(torch.nn.Module module, ModelState state, TensorNames? names = null)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(state);
        var layout = state.Layout;
        var tensors = TorchTensors.Of(module).Of(layout, names);
        using var noGradient = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var floats = layout.FloatCount > 0 ? torch.frombuffer(state.Values, torch.ScalarType.Float32) : null;
        var integers = layout.IntegerCount > 0 ? torch.frombuffer(state.Integers, torch.ScalarType.Int64) : null;
        for (var i = 0; i < tensors.Length; i++)
        {
            var tensor = layout.Tensors[i];
            var flat = (tensor.Role == TensorRole.Integer ? integers : floats)!;
            var destination = tensors[i];
            destination.copy_(flat.narrow(0, layout.Offsets[i], tensor.Length).view(destination.shape));
        }
    }
}
