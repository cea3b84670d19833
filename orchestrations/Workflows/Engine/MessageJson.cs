using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace FedServerless.Workflows.Engine;

/// <summary>Messages as JSON: the application's types only, finite numbers only, at most <see cref="WorkflowLimits.MaxMessageBytes"/>.</summary>
internal sealed class MessageJson
{
    private readonly JsonSerializerOptions _options;

    public MessageJson(IJsonTypeInfoResolver resolver)
    {
        _options = resolver is JsonSerializerContext context
            ? context.Options
            : new JsonSerializerOptions { TypeInfoResolver = resolver };
        if (_options.NumberHandling.HasFlag(JsonNumberHandling.AllowNamedFloatingPointLiterals))
        {
            throw new ArgumentException("Messages carry finite numbers only: AllowNamedFloatingPointLiterals must be off.", nameof(resolver));
        }

        _options.MakeReadOnly();
    }

    /// <summary>Refuses a type that the application's context does not know.</summary>
    public void Check<T>(string name)
    {
        if (!_options.TryGetTypeInfo(typeof(T), out _))
        {
            throw new ArgumentException($"'{name}' uses {typeof(T)}, which the JSON context does not know: add [JsonSerializable(typeof({typeof(T).Name}))].", name);
        }
    }

    /// <exception cref="WorkflowMessageException">It cannot be written, or is too long.</exception>
    public string Write<T>(T value, string what)
    {
        byte[] json;
        try
        {
            json = JsonSerializer.SerializeToUtf8Bytes(value, TypeInfo<T>());
        }
        catch (Exception e) when (e is ArgumentException or JsonException or NotSupportedException or InvalidOperationException)
        {
            throw new WorkflowMessageException($"The {what} cannot be written as JSON: {e.Message}", e);
        }

        CheckLength(json.Length, what);
        return Encoding.UTF8.GetString(json);
    }

    /// <exception cref="WorkflowMessageException">It is not what the type asks for.</exception>
    public T Read<T>(string json, string what)
    {
        try
        {
            return JsonSerializer.Deserialize(json, TypeInfo<T>())!;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw new WorkflowMessageException($"The {what} cannot be read as {typeof(T)}: {e.Message}", e);
        }
    }

    /// <summary>Bytes that a status takes as a JSON string.</summary>
    public static void CheckStatus(string status) => CheckLength(JsonEncodedText.Encode(status).EncodedUtf8Bytes.Length + 2, "status");

    /// <summary>Sixteen bytes of SHA-256 in hex: enough to notice that a replayed call was given something else.</summary>
    public static string Digest(string content) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content)).AsSpan(0, 16));

    private static void CheckLength(int bytes, string what)
    {
        if (bytes > WorkflowLimits.MaxMessageBytes)
        {
            throw new WorkflowMessageException(
                $"The {what} takes {bytes} bytes as JSON; at most {WorkflowLimits.MaxMessageBytes} travel. Store the content and pass a reference.");
        }
    }

    private JsonTypeInfo<T> TypeInfo<T>() => (JsonTypeInfo<T>)_options.GetTypeInfo(typeof(T));
}
