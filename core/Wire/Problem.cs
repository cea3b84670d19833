using System.Text.Json.Serialization;

namespace FedServerless.Wire;

/// <summary>One thing that is wrong with an input: where, what it was, and what would be right.</summary>
/// <param name="Field">Path of the field, in the JSON's own names: <c>training.learningRate</c>.</param>
/// <param name="Value">The offending value as text, shortened; null when absent.</param>
/// <param name="Expected">What would be right, as a phrase: <c>a number above 0</c>.</param>
public sealed record Problem(string Field, string? Value, string Expected)
{
    /// <summary>A sentence for people.</summary>
    public override string ToString() => $"{Field} is {(Value is null ? "missing" : $"'{Value}'")}; expected {Expected}.";
}

/// <summary>RFC 9457 problem details with every problem listed at once.</summary>
/// <param name="Type">A URI reference that names the kind of problem: <c>/problems/invalid-spec</c>.</param>
/// <param name="Title">The kind, in words.</param>
/// <param name="Status">The HTTP status code.</param>
/// <param name="Detail">What happened here.</param>
/// <param name="Problems">Every problem found; empty where there is nothing field-shaped to say.</param>
/// <param name="ServerTime">The server's time, on a refusal for time, so that a device learns its offset.</param>
public sealed record ProblemDetails(
    string Type,
    string Title,
    int Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Detail = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<Problem>? Problems = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? ServerTime = null);
