using FedServerless.Functions.Engine;
using FedServerless.Gateway.Http;
using FedServerless.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing.Template;
using Microsoft.DurableTask.Client;

namespace FedServerless.Functions.Hosting;

/// <summary>What the HTTP triggers call: the row of the gateway's table, with the engine of this request.</summary>
public sealed class RouteInvoker
{
    private readonly RouteTable _table;
    private readonly RouteRunner _runner;
    private readonly DurableEngine _engine;
    private readonly Lazy<ILookup<string, TemplateMatcher>> _matchers;

    internal RouteInvoker(RouteTable table, RouteRunner runner, DurableEngine engine)
    {
        (_table, _runner, _engine) = (table, runner, engine);
        _matchers = new(() => _table.Routes.ToLookup(
            route => route.Method, route => new TemplateMatcher(TemplateParser.Parse(route.Template), []), StringComparer.Ordinal));
    }

    /// <summary>Answers a request of a row.</summary>
    public async Task RunAsync(string route, HttpRequest request, DurableTaskClient client)
    {
        ArgumentNullException.ThrowIfNull(request);
        var http = request.HttpContext;
        try
        {
            await _runner.RunAsync(_table[route], http, _engine.Client(client));
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The caller is gone; leaving by an exception would be logged as a failed invocation.
        }
    }

    /// <summary>Answers a request of no row: 404, or 405 when the path exists with other methods.</summary>
    public Task RefuseAsync(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var methods = request.Path.StartsWithSegments(DeviceApi.Prefix, out var rest)
            ? _matchers.Value.Where(method => method.Any(template => template.TryMatch(rest, []))).Select(method => method.Key).Order(StringComparer.Ordinal).ToList()
            : [];
        var status = methods.Count > 0 ? StatusCodes.Status405MethodNotAllowed : StatusCodes.Status404NotFound;
        var reply = Reply.Problem(Problems.Transport(status));
        return (methods.Count > 0 ? reply.With("Allow", string.Join(", ", methods)) : reply).ExecuteAsync(request.HttpContext);
    }
}
