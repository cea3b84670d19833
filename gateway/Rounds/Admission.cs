using System.Text.RegularExpressions;
using FedServerless.Activities.Metering;
using FedServerless.Gateway.Authentication;
using FedServerless.Gateway.Http;
using FedServerless.Wire;

namespace FedServerless.Gateway.Rounds;

/// <summary>What uploads, receipts and evaluations have in common at the door.</summary>
internal static partial class Admission
{
    /// <summary>Longest name of a metric.</summary>
    public const int MaxMetricNameLength = 64;

    /// <summary>The round, if the device was selected in it.</summary>
    /// <exception cref="ProblemException">404: no such round; 403: not selected.</exception>
    public static async Task<RoundFile> ForRoundAsync(
        RoundFiles files, string run, int round, DeviceCaller device, CancellationToken cancellationToken)
    {
        var file = await files.FindAsync(run, round, cancellationToken)
            ?? throw new ProblemException(Problems.NotFound($"Run '{run}' has no round {round}."));
        if (file.Plan.Population != device.Population || !await file.IsSelectedAsync(device.Client, cancellationToken))
        {
            throw new ProblemException(Problems.NotYours($"'{device.Client}' was not selected in round {round} of '{run}'."));
        }

        UsageScope.Current?.Attribute(run, round);
        return file;
    }

    /// <summary>What is wrong with the claims that receipts and evaluations share.</summary>
    public static List<Problem> Check(
        string client, string run, int round, long samples, IReadOnlyDictionary<string, double> metrics, (string Client, string Run, int Round) expected)
    {
        if (client != expected.Client)
        {
            throw new ProblemException(Problems.NotYours($"It is signed by '{expected.Client}' and speaks for '{RouteCall.Shorten(client)}'."));
        }

        var problems = new List<Problem>();
        if (run != expected.Run)
        {
            problems.Add(new("run", RouteCall.Shorten(run), $"'{expected.Run}', as in the URL"));
        }

        if (round != expected.Round)
        {
            problems.Add(new("round", $"{round}", $"{expected.Round}, as in the URL"));
        }

        if (samples < 1)
        {
            problems.Add(new("samples", $"{samples}", "1 or more"));
        }

        if (metrics.Count > DeviceApi.MaxMetrics)
        {
            problems.Add(new("metrics", $"{metrics.Count} metrics", $"at most {DeviceApi.MaxMetrics}"));
            return problems;
        }

        foreach (var (name, value) in metrics.OrderBy(metric => metric.Key, StringComparer.Ordinal))
        {
            if (!MetricName().IsMatch(name))
            {
                problems.Add(new("metrics", RouteCall.Shorten(name), $"names of 1 to {MaxMetricNameLength} letters, digits, '.', '_' and '-'"));
            }
            else if (!double.IsFinite(value))
            {
                problems.Add(new($"metrics.{name}", $"{value}", "a finite number"));
            }
        }

        return problems;
    }

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex MetricName();
}
