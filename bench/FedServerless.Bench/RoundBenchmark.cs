using System.Diagnostics;
using FedServerless.Cli;

namespace FedServerless.Bench;

/// <summary>Whole rounds over HTTP with clients that train nothing: what is left is the product's own time.</summary>
internal static class RoundBenchmark
{
    private const double MiB = 1 << 20;

    public static IReadOnlyList<Measurement> Run(IReadOnlyList<string> args) => RunAsync(RoundOptions.Parse(args)).GetAwaiter().GetResult();

    private static async Task<IReadOnlyList<Measurement>> RunAsync(RoundOptions options)
    {
        try
        {
            await using var federation = await RoundFederation.StartAsync(options);
            var idle = federation.Usage;
            await federation.PrepareAsync();
            var before = federation.Usage;
            var watch = Stopwatch.StartNew();
            var log = await federation.RunAsync();
            watch.Stop();
            var rounds = RoundTimes.Read(log);
            return [.. rounds.Select(OfRound), .. Summary(options, rounds, watch.Elapsed, idle, before, federation)];
        }
        catch (CommandException refused)
        {
            throw new FormatException(refused.Message, refused);
        }
    }

    private static Measurement OfRound(RoundTimes round) => new(
        $"round {round.Round}", round.Whole.TotalMilliseconds, "ms",
        $"collect {round.Collect.TotalMilliseconds:0}, reduce {round.Reduce.TotalMilliseconds:0}, between {round.Between?.TotalMilliseconds ?? 0:0}; {round.Accepted} updates, {round.BytesUp / MiB:0.0} MiB up, {round.BytesDown / MiB:0.0} MiB down");

    private static IEnumerable<Measurement> Summary(
        RoundOptions options, IReadOnlyList<RoundTimes> rounds, TimeSpan elapsed, HostUsage idle, HostUsage before, RoundFederation federation)
    {
        // The first round compiles, the last is followed by none.
        var steady = rounds.Count > 2 ? rounds.Skip(1).SkipLast(1).ToList() : [.. rounds];
        var after = federation.Usage;
        var whole = Median(steady, round => round.Whole);
        yield return new("median round", whole, "ms", $"{options.Clients} clients, {options.Parameters} parameters, {options.Codec}, {(options.Azurite ? "azurite" : "files")}{(options.FlushToDisk ? "" : " not flushed")}; {steady.Count} rounds");
        yield return new("median collect", Median(steady, round => round.Collect), "ms", "opened to sealed: clients and host");
        yield return new("median reduce", Median(steady, round => round.Reduce), "ms", "sealed to published: host alone");
        yield return new("median between", Median(steady, round => round.Between ?? TimeSpan.Zero), "ms", "published to the next round opened: host alone");
        yield return new("updates accepted", 1000 * steady.Average(round => round.Accepted) / whole, "1/s", "in a median round");
        yield return new("host processor", (after.Processor - before.Processor).TotalMilliseconds / rounds.Count, "ms/round", $"of {elapsed.TotalMilliseconds / rounds.Count:0} ms, first round and compiling included");
        yield return new("host memory, idle", idle.ResidentBytes / MiB, "MiB", "before the model came");
        yield return new("host memory, peak", after.PeakBytes / MiB, "MiB", "");
        yield return new("requests repeated", federation.Retries, "", "by clients");
        yield return new("load average", LoadAverage(), "", "of the last minute, this benchmark included");
    }

    private static double Median(List<RoundTimes> rounds, Func<RoundTimes, TimeSpan> time)
    {
        var sorted = rounds.Select(round => time(round).TotalMilliseconds).Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }

    /// <summary>Of the last minute; NaN where the system has none.</summary>
    internal static double LoadAverage() => OperatingSystem.IsLinux()
        ? double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture)
        : double.NaN;
}
