using System.Buffers.Binary;
using System.Text;

namespace FedServerless.Model;

/// <summary>
/// The one safetensors file that this system writes for a layout: header padded to 8 bytes, integers, then parameters, then
/// buffers. The flat float32 vector is one little-endian range, so any slice of a model is one ranged read and a model can be
/// written slice by slice. The same layout and metadata give the same bytes for ever.
/// </summary>
public sealed class CanonicalModelFile
{
    private readonly byte[] _header;

    private CanonicalModelFile(TensorLayout layout, byte[] header)
    {
        Layout = layout;
        _header = header;
    }

    /// <summary>Names, shapes and roles.</summary>
    public TensorLayout Layout { get; }

    /// <summary>The file's first bytes: length, JSON, padding.</summary>
    public ReadOnlyMemory<byte> Header => _header;

    /// <summary>Where the int64 vector begins, in bytes; a multiple of 8.</summary>
    public long IntegersOffset => _header.Length;

    /// <summary>Where the flat float32 vector begins, in bytes; it reaches to the end of the file.</summary>
    public long FloatsOffset => IntegersOffset + (sizeof(long) * Layout.IntegerCount);

    /// <summary>Length of the file, in bytes.</summary>
    public long Length => FloatsOffset + (sizeof(float) * Layout.FloatCount);

    /// <summary>Works out the file.</summary>
    /// <param name="layout">Names, shapes and roles.</param>
    /// <param name="metadata">
    /// What else to keep, at most <see cref="SafetensorsHeader.MaxMetadataEntries"/>; keys must not begin with <c>fed.role.</c>.
    /// </param>
    /// <exception cref="ArgumentException">A key or a tensor's name is reserved, a text is not legal Unicode, or the header would exceed <see cref="SafetensorsHeader.MaxLength"/>.</exception>
    public static CanonicalModelFile Create(TensorLayout layout, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(layout);
        if (metadata is { Count: > SafetensorsHeader.MaxMetadataEntries })
        {
            throw new ArgumentException($"There are {metadata.Count} metadata entries; expected at most {SafetensorsHeader.MaxMetadataEntries}.", nameof(metadata));
        }

        if (layout.Tensors.Any(tensor => tensor.Name == SafetensorsHeaderParser.MetadataKey))
        {
            throw new ArgumentException($"'{SafetensorsHeaderParser.MetadataKey}' is no name for a tensor in this format.", nameof(layout));
        }

        var json = new StringBuilder("{\"").Append(SafetensorsHeaderParser.MetadataKey).Append("\":{");
        AppendMetadata(json, layout, metadata ?? new Dictionary<string, string>());
        json.Append('}');
        AppendTensors(json, layout);
        json.Append('}');

        var text = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetBytes(json.ToString());
        var padded = (text.Length + 7) & ~7;
        if (padded > SafetensorsHeader.MaxLength - SafetensorsHeader.LengthBytes)
        {
            throw new ArgumentException($"The header would have {padded} bytes; expected at most {SafetensorsHeader.MaxLength}.", nameof(layout));
        }

        var header = new byte[SafetensorsHeader.LengthBytes + padded];
        BinaryPrimitives.WriteInt64LittleEndian(header, padded);
        header.AsSpan(SafetensorsHeader.LengthBytes).Fill((byte)' ');
        text.CopyTo(header.AsSpan(SafetensorsHeader.LengthBytes));
        return new CanonicalModelFile(layout, header);
    }

    private static void AppendMetadata(StringBuilder json, TensorLayout layout, IReadOnlyDictionary<string, string> metadata)
    {
        var separator = "";
        foreach (var (key, value) in metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            if (key.StartsWith(SafetensorsRoles.KeyPrefix, StringComparison.Ordinal))
            {
                throw new ArgumentException($"Metadata key '{key}' is reserved for tensor roles.", nameof(metadata));
            }

            json.Append(separator);
            AppendString(json, key).Append(':');
            AppendString(json, value);
            separator = ",";
        }

        foreach (var tensor in layout.Tensors)
        {
            json.Append(separator);
            AppendString(json, SafetensorsRoles.KeyPrefix + tensor.Name).Append(":\"").Append(SafetensorsRoles.NameOf(tensor.Role)).Append('"');
            separator = ",";
        }
    }

    private static void AppendTensors(StringBuilder json, TensorLayout layout)
    {
        long start = 0;
        var integersFirst = layout.Tensors.Where(tensor => tensor.Role == TensorRole.Integer)
            .Concat(layout.Tensors.Where(tensor => tensor.Role != TensorRole.Integer));
        foreach (var tensor in integersFirst)
        {
            var isInteger = tensor.Role == TensorRole.Integer;
            var end = start + (tensor.Length * (isInteger ? sizeof(long) : sizeof(float)));
            json.Append(',');
            AppendString(json, tensor.Name)
                .Append(":{\"dtype\":\"").Append(isInteger ? "I64" : "F32")
                .Append("\",\"shape\":[").AppendJoin(',', tensor.Shape)
                .Append("],\"data_offsets\":[").Append(start).Append(',').Append(end).Append("]}");
            start = end;
        }
    }

    /// <summary>Our own, so that no change of a JSON library's escaping ever changes a model's bytes.</summary>
    private static StringBuilder AppendString(StringBuilder json, string text)
    {
        json.Append('"');
        foreach (var character in text)
        {
            if (character is '"' or '\\')
            {
                json.Append('\\').Append(character);
            }
            else if (character < ' ')
            {
                json.Append("\\u").Append(((int)character).ToString("x4"));
            }
            else
            {
                json.Append(character);
            }
        }

        return json.Append('"');
    }
}
