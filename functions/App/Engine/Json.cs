using System.Text.Json;

namespace FedServerless.Functions.Engine;

/// <summary>JSON that is passed on as it is: Durable's converter writes an element unchanged, and a string it would quote once more.</summary>
internal static class Json
{
    /// <summary>The JSON value <c>null</c>.</summary>
    public static JsonElement Null { get; } = Parse("null");

    /// <summary>Text that is JSON already.</summary>
    public static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    /// <summary>The text of a value that may be absent.</summary>
    public static string Text(JsonElement? value) => value is { ValueKind: not JsonValueKind.Undefined } element ? element.GetRawText() : "null";
}
