using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using FedServerless.Wire;

namespace FedServerless.Model;

/// <summary>What a tensor is to the federation.</summary>
public enum TensorRole
{
    /// <summary>Trained float32: distances, clipping, codecs and server optimizers act on these only.</summary>
    Parameter = 0,

    /// <summary>Float32 that takes the weighted mean of the clients' values (a batch norm's running statistics).</summary>
    Buffer = 1,

    /// <summary>Int64 that takes the maximum of the clients' values (<c>num_batches_tracked</c>).</summary>
    Integer = 2,
}

/// <summary>Name, shape and role of one tensor.</summary>
/// <param name="Name">1 to 256 characters, unique in the layout.</param>
/// <param name="Shape">Dimensions, each at least 1; empty for a scalar; row major.</param>
/// <param name="Role">What the federation does with it.</param>
public sealed record TensorSpec(string Name, IReadOnlyList<int> Shape, TensorRole Role)
{
    /// <summary>Number of elements: the product of <see cref="Shape"/>.</summary>
    public long Length => Shape.Aggregate(1L, (product, dimension) => checked(product * dimension));
}

/// <summary>
/// The canonical order of a model's tensors. The flat float32 vector of a model is all parameters, then all buffers;
/// integers form a vector of their own. Within a role the given order is kept.
/// </summary>
public sealed class TensorLayout
{
    /// <summary>Most tensors in a model.</summary>
    public const int MaxTensors = 65_536;

    /// <summary>Most float32 values (parameters and buffers) in a model: 2³⁰, 4 GiB.</summary>
    public const long MaxFloats = 1L << 30;

    /// <summary>Most int64 values in a model.</summary>
    public const long MaxIntegers = 65_536;

    /// <summary>Most characters in a tensor's name.</summary>
    public const int MaxNameLength = 256;

    /// <summary>Most dimensions of a tensor.</summary>
    public const int MaxRank = 8;

    private TensorLayout(TensorSpec[] tensors, long[] offsets)
    {
        Tensors = tensors;
        Offsets = offsets;
        ParameterCount = Count(TensorRole.Parameter);
        BufferCount = Count(TensorRole.Buffer);
        IntegerCount = Count(TensorRole.Integer);
        Digest = ComputeDigest(tensors);
    }

    /// <summary>Tensors in canonical order: parameters, buffers, integers.</summary>
    public IReadOnlyList<TensorSpec> Tensors { get; }

    /// <summary>
    /// Offset, in elements, of each tensor of <see cref="Tensors"/>: into the flat float32 vector for parameters and buffers,
    /// into the int64 vector for integers.
    /// </summary>
    public IReadOnlyList<long> Offsets { get; }

    /// <summary>Float32 values that are parameters: flat range [0, ParameterCount).</summary>
    public long ParameterCount { get; }

    /// <summary>Float32 values that are buffers: flat range [ParameterCount, FloatCount).</summary>
    public long BufferCount { get; }

    /// <summary>Int64 values.</summary>
    public long IntegerCount { get; }

    /// <summary>Length of the flat float32 vector.</summary>
    public long FloatCount => ParameterCount + BufferCount;

    /// <summary>SHA-256 over names, shapes and roles in canonical order (docs/concepts/update-format.md gives the bytes).</summary>
    public Digest Digest { get; }

    /// <summary>Sorts the tensors stably by role and checks every limit.</summary>
    /// <exception cref="ArgumentException">A name is empty, too long or repeated, a shape is illegal, or a limit is exceeded.</exception>
    public static TensorLayout Create(IEnumerable<TensorSpec> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        return TryCreate(tensors, out var layout, out var problem) ? layout : throw new ArgumentException(problem, nameof(tensors));
    }

    /// <summary>As <see cref="Create"/>, for tensors that come from outside: a sentence instead of an exception.</summary>
    public static bool TryCreate(
        IEnumerable<TensorSpec> tensors,
        [NotNullWhen(true)] out TensorLayout? layout,
        [NotNullWhen(false)] out string? problem)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        layout = null;
        var ordered = tensors.OrderBy(tensor => tensor.Role).ToArray();
        if (ordered.Length is 0 or > MaxTensors)
        {
            problem = $"A model has 1 to {MaxTensors} tensors, this one has {ordered.Length}.";
            return false;
        }

        var names = new HashSet<string>(ordered.Length, StringComparer.Ordinal);
        var offsets = new long[ordered.Length];
        long floats = 0;
        long integers = 0;
        for (var i = 0; i < ordered.Length; i++)
        {
            var tensor = ordered[i];
            problem = Check(tensor, names);
            if (problem is not null)
            {
                return false;
            }

            ref var total = ref (tensor.Role == TensorRole.Integer ? ref integers : ref floats);
            offsets[i] = total;
            total += tensor.Length;
            if (floats > MaxFloats || integers > MaxIntegers)
            {
                problem = $"A model has at most {MaxFloats} float32 and {MaxIntegers} int64 values.";
                return false;
            }
        }

        problem = null;
        layout = new TensorLayout(ordered, offsets);
        return true;
    }

    private static string? Check(TensorSpec tensor, HashSet<string> names)
    {
        if (tensor.Name.Length is 0 or > MaxNameLength || !names.Add(tensor.Name))
        {
            return $"Tensor name '{tensor.Name}' is empty, over {MaxNameLength} characters, or repeated.";
        }

        if (!Enum.IsDefined(tensor.Role))
        {
            return $"Tensor '{tensor.Name}' has the unknown role {(int)tensor.Role}.";
        }

        if (tensor.Shape.Count > MaxRank)
        {
            return $"Tensor '{tensor.Name}' has {tensor.Shape.Count} dimensions; expected at most {MaxRank}.";
        }

        long length = 1;
        foreach (var dimension in tensor.Shape)
        {
            length = dimension >= 1 ? length * dimension : 0;
            if (length is 0 or > MaxFloats)
            {
                return $"Tensor '{tensor.Name}' has shape [{string.Join(", ", tensor.Shape)}]; expected dimensions of 1 or more, {MaxFloats} elements in all.";
            }
        }

        return null;
    }

    private static Digest ComputeDigest(TensorSpec[] tensors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> number = stackalloc byte[4];
        void Append(Span<byte> scratch, int value)
        {
            BinaryPrimitives.WriteInt32LittleEndian(scratch, value);
            hash.AppendData(scratch);
        }

        hash.AppendData("fed-layout-1"u8);
        Append(number, tensors.Length);
        foreach (var tensor in tensors)
        {
            var name = Encoding.UTF8.GetBytes(tensor.Name);
            Append(number, name.Length);
            hash.AppendData(name);
            Append(number, (int)tensor.Role);
            Append(number, tensor.Shape.Count);
            foreach (var dimension in tensor.Shape)
            {
                Append(number, dimension);
            }
        }

        return Digest.FromBytes(hash.GetHashAndReset());
    }

    private long Count(TensorRole role) => Tensors.Where(tensor => tensor.Role == role).Sum(tensor => tensor.Length);
}
