namespace FedServerless.Model;

/// <summary>How a tensor's role is kept in a safetensors file, whose own format knows only types.</summary>
internal static class SafetensorsRoles
{
    /// <summary>Metadata key of a tensor's role: this and the tensor's name.</summary>
    public const string KeyPrefix = "fed.role.";

    private const string Parameter = "parameter";
    private const string Buffer = "buffer";
    private const string Integer = "integer";

    public static string NameOf(TensorRole role) => role switch
    {
        TensorRole.Parameter => Parameter,
        TensorRole.Buffer => Buffer,
        _ => Integer,
    };

    public static TensorRole? Parse(string name) => name switch
    {
        Parameter => TensorRole.Parameter,
        Buffer => TensorRole.Buffer,
        Integer => TensorRole.Integer,
        _ => null,
    };

    /// <summary>The role of a tensor whose file does not say: what PyTorch's own names and types imply.</summary>
    public static TensorRole Infer(string name, bool isInteger)
    {
        if (isInteger)
        {
            return TensorRole.Integer;
        }

        return name.EndsWith("running_mean", StringComparison.Ordinal) || name.EndsWith("running_var", StringComparison.Ordinal)
            ? TensorRole.Buffer
            : TensorRole.Parameter;
    }
}
