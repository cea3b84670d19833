using System.Text.Json;
using System.Text.Json.Serialization;
using FedServerless.Workflows.Engine;

namespace FedServerless.Functions.Engine;

/// <summary>How an attempt of an activity ended. Exceptions do not cross Durable: what they carry is not bounded.</summary>
/// <param name="Output">The result, when it did not fail.</param>
/// <param name="Failure">Why it failed, or null.</param>
internal sealed record StepReply(JsonElement? Output = null, StepFault? Failure = null)
{
    /// <summary>As it travels.</summary>
    public JsonElement Write() => Json.Envelop(this, EnvelopeJson.Default.StepReply, messages: 1);

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public static StepReply Read(JsonElement message) => message.Deserialize(EnvelopeJson.Default.StepReply)!;
}

/// <summary>A failed attempt.</summary>
/// <param name="ErrorType">The exception's full type name.</param>
/// <param name="Message">Its message, cut.</param>
/// <param name="IsFinal">True when another attempt cannot help.</param>
internal sealed record StepFault(string ErrorType, string Message, bool IsFinal)
{
    /// <summary>Most bytes that type and message take together as JSON: with what is around them they stay a message like any other.</summary>
    public const int MaxBytes = WorkflowLimits.MaxMessageBytes - 200;

    /// <summary>What an exception means.</summary>
    public static StepFault From(Exception exception)
    {
        var failure = StepFailure.From(exception);
        var type = failure.ErrorType.Length <= MaxTypeLength ? failure.ErrorType : failure.ErrorType[..MaxTypeLength];
        var room = MaxBytes - Bytes(type);
        var message = failure.Message;
        while (Bytes(message) > room)
        {
            // Characters outside ASCII take six bytes or twelve as JSON: cut until it fits, never through a surrogate pair.
            var length = Math.Max(0, Math.Min(message.Length - 1, message.Length * room / Bytes(message)));
            message = length > 0 && char.IsHighSurrogate(message[length - 1]) ? message[..(length - 1)] : message[..length];
        }

        return new StepFault(type, message, exception is WorkflowMessageException);
    }

    private const int MaxTypeLength = 500;

    private static int Bytes(string text) => JsonEncodedText.Encode(text).EncodedUtf8Bytes.Length;
}

/// <summary>Asks for a child: start it if there is none of this id, tell how it stands.</summary>
/// <param name="Workflow">Its workflow.</param>
/// <param name="InstanceId">Its id.</param>
/// <param name="Input">Its input if it is started.</param>
/// <param name="Waiter">Who asks.</param>
internal sealed record ChildRequest(string Workflow, string InstanceId, JsonElement Input, string Waiter)
{
    /// <summary>As it travels.</summary>
    public JsonElement Write() => Json.Envelop(this, EnvelopeJson.Default.ChildRequest, messages: 1);
}

/// <summary>How a child stands.</summary>
/// <param name="HasEnded">False while it runs.</param>
/// <param name="Output">Its output once completed.</param>
/// <param name="ErrorType">Why it failed, or <see cref="IdTaken"/>; null when it did not.</param>
/// <param name="Error">The message of that.</param>
internal sealed record ChildReply(bool HasEnded, JsonElement? Output = null, string? ErrorType = null, string? Error = null)
{
    /// <summary>The error type of an id that belongs to another workflow.</summary>
    public const string IdTaken = "InstanceIdTaken";
}

/// <summary>
/// The JSON of the adapter's own messages. What is inside them was written, and measured, by the application's. A message that lacks a
/// part is nobody's: its instance fails at once instead of calling activities without their input again and again.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(StartMessage))]
[JsonSerializable(typeof(StepReply))]
[JsonSerializable(typeof(ChildRequest))]
[JsonSerializable(typeof(ChildReply))]
internal sealed partial class EnvelopeJson : JsonSerializerContext;
