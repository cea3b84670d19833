using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FedServerless.Wire;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Http;

/// <summary>What a handler answers: status, headers and a body that is written last.</summary>
public sealed class Reply : IResult
{
    private readonly int _status;

    private readonly string? _contentType;

    private readonly byte[] _body;

    private readonly Func<HttpContext, CancellationToken, Task>? _stream;

    private readonly List<KeyValuePair<string, string>> _headers = [];

    private Reply(int status, string? contentType, byte[] body, Func<HttpContext, CancellationToken, Task>? stream = null) =>
        (_status, _contentType, _body, _stream) = (status, contentType, body, stream);

    /// <summary>The status code.</summary>
    public int Status => _status;

    /// <summary>The body; empty where there is none or it is written as it comes.</summary>
    internal byte[] Body => _body;

    /// <summary>True for an answer that was given before.</summary>
    internal bool IsReplayed => _headers.Any(header => header.Key == Repeats.AnsweredRequests.ReplayedHeader);

    /// <summary>The kind of refusal; null for an answer that is none.</summary>
    public string? ProblemType { get; private init; }

    /// <summary>A JSON document.</summary>
    public static Reply Json<T>(int status, T value, JsonTypeInfo<T> type) =>
        new(status, "application/json", JsonSerializer.SerializeToUtf8Bytes(value, type));

    /// <summary>Bytes that are JSON already.</summary>
    public static Reply JsonBytes(byte[] body, int status = StatusCodes.Status200OK) => new(status, "application/json", body);

    /// <summary>A refusal, as RFC 9457 has it.</summary>
    public static Reply Problem(ProblemDetails problem) =>
        new(problem.Status, "application/problem+json", JsonSerializer.SerializeToUtf8Bytes(problem, WireJson.Default.ProblemDetails))
        {
            ProblemType = problem.Type,
        };

    /// <summary>No body.</summary>
    public static Reply Empty(int status) => new(status, null, []);

    /// <summary>A body that is written as it comes.</summary>
    public static Reply Stream(string contentType, Func<HttpContext, CancellationToken, Task> write) =>
        new(StatusCodes.Status200OK, contentType, [], write);

    /// <summary>Adds a header.</summary>
    public Reply With(string header, string value)
    {
        _headers.Add(new(header, value));
        return this;
    }

    /// <inheritdoc/>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = _status;
        response.Headers.CacheControl = "no-store";
        foreach (var (name, value) in _headers)
        {
            response.Headers[name] = value;
        }

        if (_contentType is not null)
        {
            response.ContentType = _contentType;
        }

        if (_stream is not null)
        {
            await _stream(httpContext, httpContext.RequestAborted);
        }
        else if (_body.Length > 0)
        {
            response.ContentLength = _body.Length;
            await response.Body.WriteAsync(_body, httpContext.RequestAborted);
        }
    }
}
