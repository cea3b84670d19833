using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FedServerless.Model;
using TorchSharp;

namespace FedServerless.Client.TorchSharp;

/// <summary>
/// A module's weights, buffers and integers as a model's flat vectors. On the CPU nothing is copied: from <see cref="Load"/> on the
/// module's tensors are views of the model's arrays, and what is written to either is in both.
/// </summary>
/// <remarks>
/// Until the next <see cref="Load"/> the module keeps the arrays alive and pinned. The module may be used for anything else between
/// rounds; only moving it, or changing its element types, is for <see cref="TorchOptions"/>. Buffers must be changed in place, as
/// those of TorchSharp's own modules are. Calls must not overlap.
/// </remarks>
public sealed class TorchBinding
{
    private readonly torch.Tensor[] _tensors;
    private readonly bool _staged;
    private readonly torch.Tensor? _floats;
    private readonly torch.Tensor? _integers;
    private torch.Tensor? _hostFloats;
    private torch.Tensor? _hostIntegers;
    private ModelState? _model;

    /// <summary>Binds a module to a layout, by the tensors' names.</summary>
    /// <param name="module">The module; moved to the device of the options.</param>
    /// <param name="layout">The layout of the federation's model.</param>
    /// <param name="options">Names, device, threads; null for the defaults.</param>
    /// <exception cref="ArgumentException">The module is not of this layout; the message lists every difference.</exception>
    public TorchBinding(torch.nn.Module module, TensorLayout layout, TorchOptions? options = null)
        : this(module, layout, options, staged: false)
    {
    }

    /// <param name="module">The module.</param>
    /// <param name="layout">The layout.</param>
    /// <param name="options">The options.</param>
    /// <param name="staged">True to copy as for a device that is not the CPU, whatever the device is.</param>
    internal TorchBinding(torch.nn.Module module, TensorLayout layout, TorchOptions? options, bool staged)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(layout);
        options ??= new TorchOptions();
        options.Apply();
        Device = options.DeviceOrCpu;
        _staged = staged || Device.type != DeviceType.CPU;
        module.to(Device);

        _tensors = TorchTensors.Of(module).Of(layout, options.Names);
        Layout = layout;
        if (_staged)
        {
            using var outer = torch.NewDisposeScope();
            _floats = layout.FloatCount > 0 ? torch.empty(layout.FloatCount, torch.float32, Device).DetachFromDisposeScope() : null;
            _integers = layout.IntegerCount > 0 ? torch.empty(layout.IntegerCount, torch.int64, Device).DetachFromDisposeScope() : null;
        }

        Attach(TorchTensors.Read(_tensors, layout));
    }

    /// <summary>Names, shapes and roles.</summary>
    public TensorLayout Layout { get; }

    /// <summary>Where the module runs.</summary>
    public torch.Device Device { get; }

    /// <summary>The tensors in the layout's order.</summary>
    internal IReadOnlyList<torch.Tensor> Tensors => _tensors;

    /// <summary>Gives the module a model's values. On the CPU the module's tensors become views of its arrays.</summary>
    /// <param name="model">A state of <see cref="Layout"/>.</param>
    /// <exception cref="ArgumentException">It is of another layout.</exception>
    public void Load(ModelState model)
    {
        ThrowIfOtherLayout(model);
        if (!IsAttached(model))
        {
            Attach(model);
        }
    }

    /// <summary>Writes the module's values into a model. Nothing is left to do for the one that was loaded last, on the CPU.</summary>
    /// <param name="model">A state of <see cref="Layout"/>.</param>
    /// <exception cref="ArgumentException">It is of another layout.</exception>
    public void Store(ModelState model)
    {
        ThrowIfOtherLayout(model);
        if (_staged && HasArraysOf(model))
        {
            using var noGradient = torch.no_grad();
            Copy(_floats, _hostFloats);
            Copy(_integers, _hostIntegers);
        }
        else if (!IsAttached(model))
        {
            TorchTensors.CopyTo(_tensors, model);
        }
    }

    private static torch.Tensor? Wrap(Array array, torch.ScalarType type) =>
        array.Length > 0 ? torch.frombuffer(array, type).DetachFromDisposeScope() : null;

    private static void Copy(torch.Tensor? from, torch.Tensor? to)
    {
        if (from is not null)
        {
            to!.copy_(from);
        }
    }

    private void ThrowIfOtherLayout(ModelState model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!ReferenceEquals(model.Layout, Layout) && model.Layout.Digest != Layout.Digest)
        {
            throw new ArgumentException($"The model's layout is {model.Layout.Digest}; expected {Layout.Digest}.", nameof(model));
        }
    }

    /// <summary>Another binding may have given the same module other arrays, so the module itself is asked.</summary>
    private bool IsAttached(ModelState model)
    {
        if (_staged || !HasArraysOf(model))
        {
            return false;
        }

        return Layout.Tensors[0].Role == TensorRole.Integer
            ? IsAt<long>(model.Integers)
            : IsAt<float>(model.Values);

        bool IsAt<T>(T[] array)
            where T : unmanaged =>
            Unsafe.AreSame(ref MemoryMarshal.GetReference(MemoryMarshal.Cast<byte, T>(_tensors[0].bytes)), ref MemoryMarshal.GetArrayDataReference(array));
    }

    private bool HasArraysOf(ModelState model) =>
        ReferenceEquals(_model?.Values, model.Values) && ReferenceEquals(_model?.Integers, model.Integers);

    private void Attach(ModelState model)
    {
        using var noGradient = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        if (!HasArraysOf(model))
        {
            _hostFloats?.Dispose();
            _hostIntegers?.Dispose();
            _hostFloats = Wrap(model.Values, torch.ScalarType.Float32);
            _hostIntegers = Wrap(model.Integers, torch.ScalarType.Int64);
            _model = model;
        }

        if (_staged)
        {
            Copy(_hostFloats, _floats);
            Copy(_hostIntegers, _integers);
        }

        var floats = _staged ? _floats : _hostFloats;
        var integers = _staged ? _integers : _hostIntegers;
        for (var i = 0; i < _tensors.Length; i++)
        {
            var tensor = Layout.Tensors[i];
            var flat = tensor.Role == TensorRole.Integer ? integers! : floats!;
            var view = flat.narrow(0, Layout.Offsets[i], tensor.Length).view([.. tensor.Shape.Select(dimension => (long)dimension)]);
            _tensors[i].set_(view);
        }
    }
}
