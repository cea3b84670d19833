using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FedServerless.Gateway.Authentication;
using FedServerless.Wire;
using FedServerless.Workflows.Engine;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Http;

/// <summary>A call that got past its policy.</summary>
/// <param name="http">The request; its body has been read into <paramref name="body"/>.</param>
/// <param name="workflows">The engine's outside, of this request.</param>
/// <param name="body">The whole body.</param>
/// <param name="device">The device that signed, on device routes.</param>
/// <param name="caller">The operator, on operators' routes.</param>
public sealed class RouteCall(HttpContext http, IWorkflowClient workflows, byte[] body, DeviceCaller? device, OperatorCaller? caller = null)
{
    /// <summary>Largest legal round number.</summary>
    public const int MaxRound = 999_999;

    /// <summary>The request.</summary>
    public HttpContext Http => http;

    /// <summary>The engine's outside.</summary>
    public IWorkflowClient Workflows => workflows;

    /// <summary>The body's bytes, exactly as they were signed.</summary>
    public byte[] Body => body;

    /// <summary>The device that signed the request.</summary>
    /// <exception cref="InvalidOperationException">The route is not a device's.</exception>
    public DeviceCaller Device => device ?? throw new InvalidOperationException("This route has no device.");

    /// <summary>The operator that the request comes from.</summary>
    /// <exception cref="InvalidOperationException">The route is not an operator's.</exception>
    public OperatorCaller Operator => caller ?? throw new InvalidOperationException("This route has no operator.");

    /// <summary>For the audit log, where the path does not tell what the request is about: set by the handler.</summary>
    internal string? Subject { get; set; }

    /// <summary>For the audit log, more for people: set by the handler.</summary>
    internal string? Detail { get; set; }

    /// <summary>For the audit log: the request found everything done already.</summary>
    internal bool IsRepetition { get; set; }

    internal OperatorCaller? Caller => caller;

    internal DeviceCaller? Signer => device;

    /// <summary>A name from the path.</summary>
    /// <exception cref="ProblemException">404: it is not a legal name, so nothing is called so.</exception>
    public string Name(string parameter)
    {
        var value = http.Request.RouteValues[parameter] as string;
        return Identifiers.IsValid(value)
            ? value!
            : throw new ProblemException(Problems.NotFound($"No {parameter} is called '{Shorten(value)}': a name has {Identifiers.Rule}."));
    }

    /// <summary>The round in the path.</summary>
    /// <exception cref="ProblemException">404: not a round number.</exception>
    public int Round()
    {
        var value = http.Request.RouteValues["round"]?.ToString();
        return int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var round) && round is >= 1 and <= MaxRound
            ? round
            : throw new ProblemException(Problems.NotFound($"No round has the number '{Shorten(value)}': rounds count from 1 to {MaxRound}."));
    }

    /// <summary>A query parameter, or null.</summary>
    public string? Query(string parameter) => http.Request.Query.TryGetValue(parameter, out var values) ? values.ToString() : null;

    /// <summary>The body as JSON.</summary>
    /// <exception cref="ProblemException">400: it is not.</exception>
    public T Read<T>(JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(body, type) ?? throw Malformed("$", "null", "an object");
        }
        catch (JsonException exception)
        {
            throw Malformed(exception.Path ?? "$", null, exception.Message);
        }
    }

    private static ProblemException Malformed(string path, string? value, string expected)
    {
        var field = path.StartsWith("$.", StringComparison.Ordinal) ? path[2..] : path;
        return new(Problems.Invalid("The body is not the JSON that this route takes.", [new Problem(field, value, expected)]));
    }

    internal static string Shorten(string? value) => value is null ? "" : value.Length <= 80 ? value : value[..80] + "…";
}
