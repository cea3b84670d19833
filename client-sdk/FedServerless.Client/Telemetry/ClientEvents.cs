using System.Diagnostics;
using System.Diagnostics.Metrics;
using FedServerless.Client.Rounds;

namespace FedServerless.Client.Telemetry;

/// <summary>Tells the outside what a client does: events for the application, metrics and traces for whoever listens.</summary>
internal sealed class ClientEvents(Action<FedClientEvent>? observer)
{
    private static readonly Meter Meter = new(FedClient.TelemetryName);
    private static readonly Counter<long> Received = Meter.CreateCounter<long>("fed.client.model.received", "By", "Bytes of models received.");
    private static readonly Counter<long> Sent = Meter.CreateCounter<long>("fed.client.update.sent", "By", "Bytes of updates sent.");
    private static readonly Counter<long> Works = Meter.CreateCounter<long>("fed.client.work", "{item}", "Pieces of work by how they ended.");
    private static readonly Counter<long> Retries = Meter.CreateCounter<long>("fed.client.retries", "{retry}", "Requests sent again.");
    private static readonly Histogram<double> Fits = Meter.CreateHistogram<double>("fed.client.fit.duration", "s", "Time a trainer took.");

    private long _bytesDown;
    private long _bytesUp;

    private static readonly ActivitySource Activities = new(FedClient.TelemetryName);

    /// <summary>A span of one step of a piece of work; null when nobody listens.</summary>
    public static Activity? Start(string step, Work work)
    {
        var activity = Activities.StartActivity($"fed.client.{step}");
        activity?.SetTag("fed.run", work.Run);
        activity?.SetTag("fed.round", work.Round);
        return activity;
    }

    /// <summary>Told of every byte of models and updates that went through.</summary>
    public Action<long>? OnMoved { get; set; }

    public long BytesDown => Interlocked.Read(ref _bytesDown);

    public long BytesUp => Interlocked.Read(ref _bytesUp);

    public void Report(FedClientEvent happened)
    {
        switch (happened)
        {
            case Committed committed:
                Works.Add(1, new KeyValuePair<string, object?>("outcome", committed.State));
                break;
            case Evaluated:
                Works.Add(1, new KeyValuePair<string, object?>("outcome", "evaluated"));
                break;
            case Deferred:
                Works.Add(1, new KeyValuePair<string, object?>("outcome", "deferred"));
                break;
            case GaveUp:
                Works.Add(1, new KeyValuePair<string, object?>("outcome", "gave-up"));
                break;
            case Fitted fitted:
                Fits.Record(fitted.Elapsed.TotalSeconds);
                break;
        }

        observer?.Invoke(happened);
    }

    public void Retry(string operation, int attempt, TimeSpan pause, string reason)
    {
        Retries.Add(1, new KeyValuePair<string, object?>("operation", operation));
        Report(new Retrying(operation, attempt, pause, reason));
    }

    public void CountDown(int bytes)
    {
        Interlocked.Add(ref _bytesDown, bytes);
        Received.Add(bytes);
        OnMoved?.Invoke(bytes);
    }

    public void CountUp(int bytes)
    {
        Interlocked.Add(ref _bytesUp, bytes);
        Sent.Add(bytes);
        OnMoved?.Invoke(bytes);
    }
}
