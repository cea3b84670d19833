using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Unicode;

namespace FedServerless.Model;

/// <summary>Reads one header. Stricter than the format's reference reader: an unknown field of a tensor is refused too.</summary>
internal sealed class SafetensorsHeaderParser(int headerLength, long fileLength)
{
    /// <summary>The one key of the header that names no tensor.</summary>
    public const string MetadataKey = "__metadata__";

    private const string Float32 = "F32";
    private const string Int64 = "I64";
    private const int MaxQuoted = 64;
    private const int MaxDepth = 3;

    private readonly List<Entry> _tensors = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TensorRole> _roles = new(StringComparer.Ordinal);
    private Dictionary<string, string>? _metadata;

    /// <summary>What is wrong with the header, once <see cref="Parse"/> returned null.</summary>
    public string? Problem { get; private set; }

    public SafetensorsHeader? Parse(ReadOnlySpan<byte> json)
    {
        if (json[0] != (byte)'{' || !Utf8.IsValid(json))
        {
            Problem = "The safetensors header is not UTF-8 that begins with '{'.";
            return null;
        }

        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
            return ReadFile(ref reader) ? Finish() : null;
        }
        catch (JsonException exception)
        {
            Problem = $"The safetensors header is not legal JSON: {exception.Message}";
            return null;
        }
        catch (InvalidOperationException)
        {
            // The reader's way to say, wherever it unescapes a string, that an escape is half a surrogate pair.
            Problem = "A string of the safetensors header is not legal Unicode.";
            return null;
        }
    }

    private bool ReadFile(ref Utf8JsonReader reader)
    {
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            if (name == MetadataKey ? !ReadMetadata(ref reader) : !ReadTensor(name, ref reader))
            {
                return false;
            }
        }

        // Throws on anything but white space after the object.
        reader.Read();
        return true;
    }

    private bool ReadMetadata(ref Utf8JsonReader reader)
    {
        if (_metadata is not null || reader.TokenType != JsonTokenType.StartObject)
        {
            return Fail($"'{MetadataKey}' is repeated or not an object.");
        }

        _metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
            {
                return Fail($"Metadata '{Quote(key)}' is not a string.");
            }

            if (!AddMetadata(key, reader.GetString()!))
            {
                return false;
            }
        }

        return true;
    }

    private bool AddMetadata(string key, string value)
    {
        if (!key.StartsWith(SafetensorsRoles.KeyPrefix, StringComparison.Ordinal))
        {
            return _metadata!.TryAdd(key, value)
                ? _metadata.Count <= SafetensorsHeader.MaxMetadataEntries || Fail($"There are over {SafetensorsHeader.MaxMetadataEntries} metadata entries.")
                : Fail($"Metadata '{Quote(key)}' is repeated.");
        }

        if (SafetensorsRoles.Parse(value) is not { } role)
        {
            return Fail($"Metadata '{Quote(key)}' is '{Quote(value)}'; expected parameter, buffer or integer.");
        }

        return _roles.TryAdd(key[SafetensorsRoles.KeyPrefix.Length..], role)
            ? _roles.Count <= TensorLayout.MaxTensors || Fail($"There are over {TensorLayout.MaxTensors} tensor roles.")
            : Fail($"Metadata '{Quote(key)}' is repeated.");
    }

    private bool ReadTensor(string name, ref Utf8JsonReader reader)
    {
        if (name.Length is 0 or > TensorLayout.MaxNameLength || !_names.Add(name) || _names.Count > TensorLayout.MaxTensors)
        {
            return Fail($"Tensor name '{Quote(name)}' is empty, over {TensorLayout.MaxNameLength} characters, repeated, or one of over {TensorLayout.MaxTensors}.");
        }

        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return Fail($"Tensor '{Quote(name)}' is not an object.");
        }

        bool? isInteger = null;
        int[]? shape = null;
        (long Start, long End)? offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool read;
            if (isInteger is null && reader.ValueTextEquals("dtype"u8))
            {
                read = TryReadType(name, ref reader, out isInteger);
            }
            else if (shape is null && reader.ValueTextEquals("shape"u8))
            {
                read = TryReadShape(name, ref reader, out shape);
            }
            else if (offsets is null && reader.ValueTextEquals("data_offsets"u8))
            {
                read = TryReadOffsets(name, ref reader, out offsets);
            }
            else
            {
                return Fail($"Tensor '{Quote(name)}' has a field that is unknown or repeated; expected dtype, shape and data_offsets, once each.");
            }

            if (!read)
            {
                return false;
            }
        }

        if (isInteger is not { } integer || shape is null || offsets is not { } range)
        {
            return Fail($"Tensor '{Quote(name)}' lacks a field; expected dtype, shape and data_offsets.");
        }

        _tensors.Add(new Entry(name, integer, shape, range.Start, range.End));
        return CheckSize(_tensors[^1]);
    }

    private bool TryReadType(string name, ref Utf8JsonReader reader, out bool? isInteger)
    {
        reader.Read();
        isInteger = reader.TokenType != JsonTokenType.String ? null
            : reader.ValueTextEquals(Float32) ? false
            : reader.ValueTextEquals(Int64) ? true
            : null;
        if (isInteger is not null)
        {
            return true;
        }

        var found = reader.TokenType == JsonTokenType.String ? Quote(reader.GetString()!) : "not a string";
        return Fail($"Tensor '{Quote(name)}' has dtype '{found}'; only {Float32} and {Int64} are supported.");
    }

    private bool TryReadShape(string name, ref Utf8JsonReader reader, [NotNullWhen(true)] out int[]? shape)
    {
        shape = null;
        Span<int> dimensions = stackalloc int[TensorLayout.MaxRank];
        var rank = 0;
        reader.Read();
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.Number)
            {
                if (rank == TensorLayout.MaxRank || !reader.TryGetInt32(out dimensions[rank]) || dimensions[rank] < 1)
                {
                    break;
                }

                rank++;
            }
        }

        if (reader.TokenType != JsonTokenType.EndArray)
        {
            return Fail($"The shape of tensor '{Quote(name)}' is not an array of at most {TensorLayout.MaxRank} whole numbers from 1 to {int.MaxValue}.");
        }

        shape = dimensions[..rank].ToArray();
        return true;
    }

    private bool TryReadOffsets(string name, ref Utf8JsonReader reader, out (long Start, long End)? offsets)
    {
        offsets = null;
        long start = 0;
        long end = 0;
        var legal = reader.Read() && reader.TokenType == JsonTokenType.StartArray
            && reader.Read() && reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out start)
            && reader.Read() && reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out end)
            && reader.Read() && reader.TokenType == JsonTokenType.EndArray
            && start >= 0 && end > start && end <= fileLength - headerLength;
        offsets = (start, end);
        return legal || Fail($"The data_offsets of tensor '{Quote(name)}' are not two growing whole numbers within the {fileLength - headerLength} bytes of data.");
    }

    private bool CheckSize(Entry tensor)
    {
        var size = tensor.IsInteger ? sizeof(long) : sizeof(float);
        var length = (UInt128)size;
        foreach (var dimension in tensor.Shape)
        {
            // At most 2³ · (2³¹)⁸ = 2²⁵¹ would overflow, so stop once it exceeds any file.
            length *= (uint)dimension;
            if (length > long.MaxValue)
            {
                break;
            }
        }

        return length == (UInt128)(tensor.End - tensor.Start)
            || Fail($"Tensor '{Quote(tensor.Name)}' spans {tensor.End - tensor.Start} bytes; its shape and dtype need {length}{(length > long.MaxValue ? " or more" : "")}.");
    }

    private SafetensorsHeader? Finish()
    {
        _tensors.Sort((left, right) => left.Start.CompareTo(right.Start));
        long end = 0;
        foreach (var tensor in _tensors)
        {
            if (tensor.Start != end)
            {
                Fail($"Tensor '{Quote(tensor.Name)}' begins at byte {tensor.Start} of the data; expected {end}, without holes or overlaps.");
                return null;
            }

            end = tensor.End;
        }

        if (end != fileLength - headerLength)
        {
            Fail($"The tensors end at byte {end} of the data, which has {fileLength - headerLength} bytes.");
            return null;
        }

        if (!ResolveRoles(out var specs))
        {
            return null;
        }

        if (!TensorLayout.TryCreate(specs, out var layout, out var problem))
        {
            Fail(problem);
            return null;
        }

        var starts = _tensors.ToDictionary(tensor => tensor.Name, tensor => headerLength + tensor.Start, StringComparer.Ordinal);
        long[] fileOffsets = [.. layout.Tensors.Select(tensor => starts[tensor.Name])];
        return new SafetensorsHeader(layout, _metadata ?? [], fileOffsets, headerLength, fileLength);
    }

    private bool ResolveRoles(out List<TensorSpec> specs)
    {
        specs = new List<TensorSpec>(_tensors.Count);
        foreach (var tensor in _tensors)
        {
            if (!_roles.Remove(tensor.Name, out var role))
            {
                role = SafetensorsRoles.Infer(tensor.Name, tensor.IsInteger);
            }

            if (role == TensorRole.Integer != tensor.IsInteger)
            {
                return Fail($"Tensor '{Quote(tensor.Name)}' is {(tensor.IsInteger ? Int64 : Float32)} and cannot have the role {SafetensorsRoles.NameOf(role)}.");
            }

            specs.Add(new TensorSpec(tensor.Name, tensor.Shape, role));
        }

        return _roles.Count == 0 || Fail($"Metadata gives a role to '{Quote(_roles.Keys.First())}', which is no tensor of the file.");
    }

    private bool Fail(string problem)
    {
        Problem ??= problem;
        return false;
    }

    /// <summary>Someone else's text within one of our sentences: short, and without control characters.</summary>
    private static string Quote(string text)
    {
        var shown = text.Length <= MaxQuoted ? text : string.Concat(text.AsSpan(0, MaxQuoted), "…");
        return string.Concat(shown.Select(character => char.IsControl(character) ? '\uFFFD' : character));
    }

    private readonly record struct Entry(string Name, bool IsInteger, int[] Shape, long Start, long End);
}
