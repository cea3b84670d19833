using System.Diagnostics;
using System.Diagnostics.Metrics;
using FedServerless.Activities.Telemetry;

namespace FedServerless.LocalHost.Tests.Gateway;

/// <summary>What a listener hears of requests. Other tests run meanwhile, so only what carries this test's own names is looked at.</summary>
public sealed class TelemetryTests
{
    [Fact]
    public async Task Request_Refused_IsASpanAndAMeasurementWithTheProblem()
    {
        var spans = new System.Collections.Concurrent.ConcurrentQueue<Activity>();
        using var root = new Activity("root").SetIdFormat(ActivityIdFormat.W3C).Start();
        using var spanListener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == FedTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(spanListener);
        var measured = new System.Collections.Concurrent.ConcurrentQueue<KeyValuePair<string, object?>[]>();
        using var meterListener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "fed.requests.duration")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        meterListener.SetMeasurementEventCallback<double>((_, seconds, tags, _) =>
        {
            if (Activity.Current?.TraceId == root.TraceId)
            {
                Assert.True(seconds >= 0);
                measured.Enqueue(tags.ToArray());
            }
        });
        meterListener.Start();
        using var bench = new GatewayBench();

        await bench.SendAsync("getRun", "runs/a", [], []);

        var span = Assert.Single(spans, span => span.TraceId == root.TraceId);
        Assert.Equal("getRun", span.OperationName);
        Assert.Equal(401, span.GetTagItem("http.response.status_code"));
        Assert.Equal("/problems/authentication", span.GetTagItem("fed.problem"));
        Assert.Equal("Operator", span.GetTagItem("fed.policy"));
        Assert.Equal(
            new Dictionary<string, object?> { ["route"] = "getRun", ["status"] = 401, ["problem"] = "/problems/authentication" },
            new Dictionary<string, object?>(Assert.Single(measured)));
    }
}
