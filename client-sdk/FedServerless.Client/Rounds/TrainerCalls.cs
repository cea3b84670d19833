using System.Buffers;
using FedServerless.Client.Http;
using FedServerless.Wire;

namespace FedServerless.Client.Rounds;

/// <summary>Calls a trainer and looks at what it returns; whatever goes wrong costs the piece of work, never the client.</summary>
internal static class TrainerCalls
{
    /// <summary>Longest name of a metric, in characters.</summary>
    public const int MaxMetricName = 64;

    public const string Loss = "loss";
    public const string Accuracy = "accuracy";

    private static readonly SearchValues<char> MetricCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    private static readonly IReadOnlyDictionary<string, double> NoMetrics = new Dictionary<string, double>();

    /// <summary>Runs a trainer's method until the work's deadline.</summary>
    /// <exception cref="GiveUpException">It threw, or the deadline came first.</exception>
    public static async Task<T> RunAsync<T>(
        Work work, string verb, Func<CancellationToken, ValueTask<T>> call, CancellationToken cancellationToken)
        where T : class
    {
        var remaining = work.Deadline.Remaining;
        if (remaining <= TimeSpan.Zero)
        {
            throw new GiveUpException($"no time was left to {verb}");
        }

        using var deadline = new CancellationTokenSource(remaining, work.Deadline.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            var result = await call(either.Token).ConfigureAwait(false);
            return result ?? throw new InvalidOperationException("It returned null.");
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
        catch (OperationCanceledException problem) when (deadline.IsCancellationRequested)
        {
            throw new GiveUpException($"the deadline came before the trainer had finished to {verb}", problem);
        }
        catch (Exception problem)
        {
            throw new GiveUpException($"the trainer failed to {verb}: {problem.Message}", problem);
        }
    }

    /// <summary>The metrics of a receipt.</summary>
    /// <exception cref="GiveUpException">The trainer's claim could not be accepted by any server; the message lists every problem.</exception>
    public static IReadOnlyDictionary<string, double> Check(FitResult result)
    {
        var problems = new List<Problem>();
        var metrics = result.Metrics ?? NoMetrics;
        CheckClaim(problems, result.Samples, metrics);
        Throw(problems);
        return metrics;
    }

    /// <summary>The metrics of an evaluation: loss, accuracy and the trainer's own.</summary>
    /// <exception cref="GiveUpException">The trainer's claim could not be accepted by any server; the message lists every problem.</exception>
    public static IReadOnlyDictionary<string, double> Check(EvaluationResult result)
    {
        var problems = new List<Problem>();
        var metrics = new Dictionary<string, double>(StringComparer.Ordinal) { [Loss] = result.Loss };
        if (result.Accuracy is { } accuracy)
        {
            metrics[Accuracy] = accuracy;
            if (accuracy is not (>= 0 and <= 1))
            {
                problems.Add(new Problem("accuracy", accuracy.ToString("R"), "0 to 1"));
            }
        }

        foreach (var (name, value) in result.Metrics ?? NoMetrics)
        {
            if (name is Loss or Accuracy)
            {
                problems.Add(new Problem($"metrics.{name}", value.ToString("R"), "another name; this one is a property of the result"));
            }

            metrics[name] = value;
        }

        CheckClaim(problems, result.Samples, metrics);
        Throw(problems);
        return metrics;
    }

    private static void CheckClaim(List<Problem> problems, long samples, IReadOnlyDictionary<string, double> metrics)
    {
        if (samples < 1)
        {
            problems.Add(new Problem("samples", samples.ToString(), "1 or more"));
        }

        if (metrics.Count > DeviceApi.MaxMetrics)
        {
            problems.Add(new Problem("metrics", $"{metrics.Count} of them", $"at most {DeviceApi.MaxMetrics}"));
        }

        foreach (var (name, value) in metrics)
        {
            if (name.Length is 0 or > MaxMetricName || !char.IsAsciiLetterOrDigit(name[0]) || name.AsSpan().ContainsAnyExcept(MetricCharacters))
            {
                problems.Add(new Problem("metrics", name, $"names of 1 to {MaxMetricName} letters, digits, '.', '_' and '-', a letter or digit first"));
            }

            if (!double.IsFinite(value))
            {
                problems.Add(new Problem($"metrics.{name}", value.ToString("R"), "a finite number"));
            }
        }
    }

    private static void Throw(List<Problem> problems)
    {
        if (problems.Count > 0)
        {
            throw new GiveUpException($"the trainer's result is not usable: {string.Join(' ', problems)}");
        }
    }
}
