using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace FedServerless.Wire;

/// <summary>
/// Compares a JSON document with a type before it is deserialised, and names every unknown, repeated, missing or wrongly
/// typed field at once. What is sound is copied out, so that the rules about values can still be applied to it.
/// </summary>
/// <remarks>
/// Whatever is missing or unsound is written as it stands in <see cref="SpecDefaults"/>: source-generated deserialisation
/// sets every <c>init</c> property, so a default written as a property initialiser is lost for a field the document leaves out.
/// </remarks>
internal static class StrictJson
{
    /// <summary>
    /// Writes <paramref name="element"/> with defaults in the place of what is missing or unsound; false, what was written being of no
    /// use, when it has another type altogether, or is an array with an element that has.
    /// </summary>
    public static bool TryCopySound(JsonElement element, JsonTypeInfo type, string path, Findings findings, Utf8JsonWriter sound)
    {
        switch (type.Kind)
        {
            case JsonTypeInfoKind.Object:
                return TryCopyObject(element, type, path, findings, sound);
            case JsonTypeInfoKind.Enumerable:
                return TryCopyArray(element, type, path, findings, sound);
            default:
                if (!IsSound(element, type.Type))
                {
                    findings.Add(path, Text(element), Expected(type.Type));
                    return false;
                }

                element.WriteTo(sound);
                return true;
        }
    }

    private static bool TryCopyObject(JsonElement element, JsonTypeInfo type, string path, Findings findings, Utf8JsonWriter sound)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            findings.Add(path.Length == 0 ? Findings.Root : path, Text(element), "an object");
            return false;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        var copied = new HashSet<string>(StringComparer.Ordinal);
        sound.WriteStartObject();
        foreach (var field in element.EnumerateObject())
        {
            var fieldPath = Join(path, field.Name);
            if (type.Properties.FirstOrDefault(known => known.Name == field.Name) is not { } property)
            {
                findings.Add(fieldPath, Text(field.Value), $"no such field; there are {string.Join(", ", type.Properties.Select(known => known.Name))}");
            }
            else if (!seen.Add(field.Name))
            {
                findings.Add(fieldPath, Text(field.Value), "each field once");
            }
            else if (TryCopyField(field.Value, property, fieldPath, findings) is { } json)
            {
                copied.Add(field.Name);
                sound.WritePropertyName(field.Name);
                sound.WriteRawValue(json);
            }
        }

        foreach (var property in type.Properties.Where(property => property.IsRequired && !seen.Contains(property.Name)))
        {
            findings.Add(Join(path, property.Name), null, Expected(property.PropertyType));
        }

        foreach (var missing in SpecDefaults.Of(type.Type).EnumerateObject().Where(field => !copied.Contains(field.Name)))
        {
            missing.WriteTo(sound);
        }

        sound.WriteEndObject();
        return true;
    }

    // The field's sound JSON, or null when there is none.
    private static byte[]? TryCopyField(JsonElement value, JsonPropertyInfo property, string path, Findings findings)
    {
        if (value.ValueKind == JsonValueKind.Null)
        {
            if (property.IsSetNullable)
            {
                return "null"u8.ToArray();
            }

            findings.Add(path, "null", Expected(property.PropertyType));
            return null;
        }

        using var buffer = new MemoryStream();
        using var writer = new Utf8JsonWriter(buffer);
        if (!TryCopySound(value, TypeOf(property), path, findings, writer))
        {
            return null;
        }

        writer.Flush();
        return buffer.ToArray();
    }

    private static bool TryCopyArray(JsonElement element, JsonTypeInfo type, string path, Findings findings, Utf8JsonWriter sound)
    {
        if (element.ValueKind != JsonValueKind.Array)
        {
            findings.Add(path, Text(element), Expected(type.Type));
            return false;
        }

        var items = WireJson.Default.GetTypeInfo(type.ElementType!)!;
        var index = 0;
        var allSound = true;
        sound.WriteStartArray();
        foreach (var item in element.EnumerateArray())
        {
            allSound &= TryCopySound(item, items, $"{path}[{index}]", findings, sound);
            index++;
        }

        sound.WriteEndArray();
        return allSound;
    }

    private static string Join(string path, string name) => path.Length == 0 ? Findings.Shorten(name)! : $"{path}.{Findings.Shorten(name)}";

    private static JsonTypeInfo TypeOf(JsonPropertyInfo property)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        return WireJson.Default.GetTypeInfo(type)
            ?? throw new NotSupportedException($"{type} is not part of the wire contract.");
    }

    private static bool IsSound(JsonElement element, Type type) => type switch
    {
        _ when type == typeof(string) => element.ValueKind == JsonValueKind.String,
        _ when type == typeof(bool) => element.ValueKind is JsonValueKind.True or JsonValueKind.False,
        _ when type == typeof(int) => element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out _),
        _ when type == typeof(long) => element.ValueKind == JsonValueKind.Number && element.TryGetInt64(out _),
        _ when type == typeof(double) => element.ValueKind == JsonValueKind.Number && element.TryGetDouble(out var number) && double.IsFinite(number),
        _ => throw new NotSupportedException($"{type} has no rule here."),
    };

    private static string Expected(Type type)
    {
        var bare = Nullable.GetUnderlyingType(type) ?? type;
        return bare switch
        {
            _ when bare == typeof(string) => "a string",
            _ when bare == typeof(bool) => "true or false",
            _ when bare == typeof(int) => "an integer of 32 bits",
            _ when bare == typeof(long) => "an integer of 64 bits",
            _ when bare == typeof(double) => "a finite number",
            _ when bare == typeof(IReadOnlyList<int>) => "an array of integers",
            _ when bare == typeof(IReadOnlyList<string>) => "an array of strings",
            _ when bare == typeof(IReadOnlyList<ConvolutionSpec>) => "an array of objects",
            _ => "an object",
        };
    }

    private static string Text(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => element.GetString()!,
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        _ => element.GetRawText(),
    };
}
