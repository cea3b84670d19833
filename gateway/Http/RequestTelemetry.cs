using System.Diagnostics;
using System.Diagnostics.Metrics;
using FedServerless.Activities.Telemetry;

namespace FedServerless.Gateway.Http;

/// <summary>A span and a measurement around a request. Of the caller they tell nothing but whether it is an operator or a device.</summary>
internal readonly struct RequestTelemetry : IDisposable
{
    private static readonly Histogram<double> Duration =
        FedTelemetry.Meter.CreateHistogram<double>("fed.requests.duration", "s", "How long requests took, held check-ins included, by route, status and type of problem.");

    private readonly Route _route;

    private readonly long _start;

    private readonly Activity? _span;

    private RequestTelemetry(Route route)
    {
        _route = route;
        _start = Stopwatch.GetTimestamp();
        _span = FedTelemetry.Source.StartActivity(route.Name);
        _span?.SetTag("fed.policy", route.Policy.ToString());
    }

    public static RequestTelemetry Start(Route route) => new(route);

    /// <summary>The answer is known, if not yet sent.</summary>
    public void Answered(Reply reply)
    {
        _span?.SetTag("http.response.status_code", reply.Status);
        _span?.SetTag("fed.problem", reply.ProblemType);
        if (reply.Status >= 500)
        {
            _span?.SetStatus(ActivityStatusCode.Error);
        }

        var tags = new TagList { { "route", _route.Name }, { "status", reply.Status } };
        if (reply.ProblemType is { } problem)
        {
            tags.Add("problem", problem);
        }

        Duration.Record(Stopwatch.GetElapsedTime(_start).TotalSeconds, tags);
    }

    public void Dispose() => _span?.Dispose();
}
