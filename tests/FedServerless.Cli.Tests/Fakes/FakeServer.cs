using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FedServerless.Wire;

namespace FedServerless.Cli.Tests.Fakes;

/// <summary>A server that answers each request from a script: what is scripted for the same request more than once comes in turn.</summary>
internal sealed class FakeServer : HttpMessageHandler
{
    public const string Url = "http://fed.test:7270";
    public const string Key = "the-operator-key";

    private readonly Dictionary<string, Queue<Func<HttpResponseMessage>>> _answers = [];

    public List<(string Line, string? Authorization, string Body)> Requests { get; } = [];

    /// <summary>Scripts an answer.</summary>
    /// <param name="request">Method, and path below <c>/api/v1/</c> with its query: <c>GET runs</c>; or method and absolute path: <c>PUT /blobs/x</c>.</param>
    /// <param name="value">The answer.</param>
    /// <param name="type">Its type.</param>
    /// <param name="status">Its status.</param>
    public FakeServer On<T>(string request, T value, JsonTypeInfo<T> type, int status = 200) =>
        On(request, status, JsonSerializer.SerializeToUtf8Bytes(value, type));

    public FakeServer On(string request, int status, byte[] body)
    {
        if (!_answers.TryGetValue(request, out var queue))
        {
            queue = _answers[request] = new Queue<Func<HttpResponseMessage>>();
        }

        queue.Enqueue(() => new HttpResponseMessage((HttpStatusCode)status) { Content = new ByteArrayContent(body) });
        return this;
    }

    public FakeServer Refuse(string request, ProblemDetails problem) => On(request, problem, WireJson.Default.ProblemDetails, problem.Status);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Assert.Equal(new Uri(Url).Authority, request.RequestUri!.Authority);
        var path = request.RequestUri!.PathAndQuery;
        var prefix = DeviceApi.Prefix + "/";
        var line = $"{request.Method} {(path.StartsWith(prefix, StringComparison.Ordinal) ? path[prefix.Length..] : path)}";
        var body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        Requests.Add((line, request.Headers.Authorization?.ToString(), Encoding.Latin1.GetString(body)));
        if (!_answers.TryGetValue(line, out var queue))
        {
            throw new InvalidOperationException($"No answer is scripted for: {line}");
        }

        return (queue.Count > 1 ? queue.Dequeue() : queue.Peek())();
    }
}
