using System.Diagnostics;
using System.Diagnostics.Metrics;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;
using FedServerless.Workflows.Runs;

namespace FedServerless.Activities.Telemetry;

/// <summary>An activity with a span and a measurement around it. What it does and answers is untouched.</summary>
internal sealed class TracedActivity<TInput, TOutput>(string name, IActivity<TInput, TOutput> inner) : IActivity<TInput, TOutput>
{
    public async Task<TOutput> RunAsync(TInput input, CancellationToken cancellationToken)
    {
        using var span = FedTelemetry.Source.StartActivity(name);
        if (span is not null)
        {
            ActivityTelemetry.Describe(span, input);
        }

        var start = Stopwatch.GetTimestamp();
        var outcome = ActivityTelemetry.Failed;
        try
        {
            var output = await inner.RunAsync(input, cancellationToken);
            outcome = ActivityTelemetry.Done;
            return output;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            outcome = ActivityTelemetry.Cancelled;
            throw;
        }
        catch (Exception exception)
        {
            // The type only: a message may hold what should stay on this host.
            span?.SetStatus(ActivityStatusCode.Error, exception.GetType().Name);
            throw;
        }
        finally
        {
            ActivityTelemetry.Record(name, outcome, Stopwatch.GetElapsedTime(start));
        }
    }
}

/// <summary>What is said of activities.</summary>
internal static class ActivityTelemetry
{
    public const string Done = "done";

    public const string Failed = "failed";

    public const string Cancelled = "cancelled";

    private static readonly Histogram<double> Duration =
        FedTelemetry.Meter.CreateHistogram<double>("fed.activities.duration", "s", "How long activities ran, by activity and outcome.");

    public static void Record(string name, string outcome, TimeSpan elapsed) =>
        Duration.Record(elapsed.TotalSeconds, new KeyValuePair<string, object?>("activity", name), new KeyValuePair<string, object?>("outcome", outcome));

    /// <summary>Which run, which round, which part of it.</summary>
    public static void Describe(Activity span, object? input)
    {
        var (run, round, part) = input switch
        {
            RoundInput it => (it.Run, it.Round, (int?)null),
            CloseInput it => (it.Run, it.Round, null),
            ValidationChunk it => (it.Run, it.Round, it.Chunk),
            FoldInput it => (it.Run, it.Round, it.Task),
            CleanInput it => (it.Run, it.Round, it.Task),
            ReduceInput it => (it.Run, it.Round, it.Shard),
            RunProgress it => (it.Run, it.Round, null),
            _ => (null, 0, null),
        };
        span.SetTag("fed.run", run);
        span.SetTag("fed.round", run is null ? null : round);
        span.SetTag("fed.part", part);
    }
}
