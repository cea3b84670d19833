using FedServerless.Model;

namespace FedServerless.Client.Training;

/// <summary>What a tensor is to the framework's module that holds it.</summary>
public enum ModuleTensorKind
{
    /// <summary>A parameter that takes a gradient.</summary>
    Trained = 0,

    /// <summary>A parameter that takes none.</summary>
    Frozen = 1,

    /// <summary>State that is kept with the module and is no parameter, as a batch norm's running statistics are.</summary>
    Buffer = 2,
}

/// <summary>A tensor of a framework's module, as the module has it.</summary>
/// <param name="Name">The module's own name of it, such as <c>encoder.fc1.weight</c>.</param>
/// <param name="Shape">Dimensions, row major; empty for a scalar.</param>
/// <param name="Kind">What it is to the module.</param>
/// <param name="Type">Its element type: <see cref="Float32"/>, <see cref="Int64"/>, or any other, by the framework's name.</param>
public sealed record ModuleTensor(string Name, IReadOnlyList<long> Shape, ModuleTensorKind Kind, string Type)
{
    /// <summary>Name of the 32-bit floating point type.</summary>
    public const string Float32 = "Float32";

    /// <summary>Name of the 64-bit integer type.</summary>
    public const string Int64 = "Int64";

    /// <summary>
    /// What the federation does with it; null when it can do nothing with the type. What takes a gradient is a parameter. What takes
    /// none must not meet weight decay, momentum or noise: float32 is a buffer, int64 an integer.
    /// </summary>
    public TensorRole? Role => (Kind, Type) switch
    {
        (ModuleTensorKind.Trained, Float32) => TensorRole.Parameter,
        (ModuleTensorKind.Frozen or ModuleTensorKind.Buffer, Float32) => TensorRole.Buffer,
        (ModuleTensorKind.Frozen or ModuleTensorKind.Buffer, Int64) => TensorRole.Integer,
        _ => null,
    };
}
