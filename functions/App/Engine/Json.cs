using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FedServerless.Workflows.Engine;

namespace FedServerless.Functions.Engine;

/// <summary>JSON that is passed on as it is: Durable's converter writes an element unchanged, and a string it would quote once more.</summary>
internal static class Json
{
    /// <summary>Most bytes that the adapter puts around the application's messages: names, ids and a token.</summary>
    public const int MaxEnvelopeBytes = 400;

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

    /// <summary>An envelope around so many of the application's messages, measured once more before it travels.</summary>
    /// <exception cref="WorkflowMessageException">It is too long.</exception>
    public static JsonElement Envelop<T>(T envelope, JsonTypeInfo<T> type, int messages)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(envelope, type);
        var limit = (messages * WorkflowLimits.MaxMessageBytes) + MaxEnvelopeBytes;
        if (bytes.Length > limit)
        {
            throw new WorkflowMessageException($"A {typeof(T).Name} takes {bytes.Length} bytes as JSON; at most {limit} travel.");
        }

        using var document = JsonDocument.Parse(bytes);
        return document.RootElement.Clone();
    }
}
