using System.Text.Json;

namespace FedServerless.Functions.Engine;

/// <summary>What an instance is started with, by a client, by a parent or by its own earlier generation.</summary>
/// <param name="Input">The workflow's input.</param>
/// <param name="Token">Drawn by the starter, so that of several starters one can tell that it was the one.</param>
/// <param name="Waiter">The instance to wake when this one ends, or null.</param>
/// <param name="Status">The status that an earlier generation set, or null: Durable would forget it.</param>
internal sealed record StartMessage(JsonElement Input, string Token, string? Waiter = null, string? Status = null)
{
    /// <summary>As it travels.</summary>
    public JsonElement Write() => Json.Envelop(this, EnvelopeJson.Default.StartMessage, Status is null ? 1 : 2);

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public static StartMessage Read(JsonElement message) => message.Deserialize(EnvelopeJson.Default.StartMessage)!;

    /// <summary>The token in an instance's stored input; null when there is none.</summary>
    public static string? TokenOf(string? serializedInput)
    {
        try
        {
            return serializedInput is null ? null : JsonSerializer.Deserialize(serializedInput, EnvelopeJson.Default.StartMessage)?.Token;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
