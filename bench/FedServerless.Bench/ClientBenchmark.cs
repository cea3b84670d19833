using System.Diagnostics;
using FedServerless.Cli;
using FedServerless.Client;
using FedServerless.Compression;
using FedServerless.Wire;

namespace FedServerless.Bench;

/// <summary>
/// What a client costs its device: of the edge sample, published in several ways, the size, the time to its first check-in and its memory; of the
/// SDK in this process what a round of a client that trains nothing allocates and how much processor time it takes.
/// </summary>
internal static class ClientBenchmark
{
    private const double MiB = 1 << 20;
    private const double KiB = 1 << 10;

    // The first rounds compile, connect and fill pools.
    private const int WarmUpRounds = 3;

    private static readonly string[] UsualCodecs =
        [UpdateCodecs.Float32, UpdateCodecs.Float16, UpdateCodecs.Int8, UpdateCodecs.Sign, UpdateCodecs.TopKInt8, UpdateCodecs.RandomKInt8];

    public static IReadOnlyList<Measurement> Run(IReadOnlyList<string> args) => RunAsync(args).GetAwaiter().GetResult();

    private static async Task<IReadOnlyList<Measurement>> RunAsync(IReadOnlyList<string> args)
    {
        var (parameters, rounds, starts) = (args.Number("--parameters", 1_000_000), args.Number("--rounds", 10), args.Number("--starts", 5));
        var folder = args.Text("--folder") ?? Directory.CreateTempSubdirectory("fed-bench-client-").FullName;
        var measurements = new List<Measurement>();
        try
        {
            foreach (var variant in Chosen(args.Text("--variants"), PublishedClient.Variants))
            {
                measurements.AddRange(await OfProgramAsync(variant, folder, parameters, starts));
            }

            foreach (var codec in Chosen(args.Text("--codecs"), UsualCodecs))
            {
                measurements.AddRange(await OfRoundsAsync(codec, parameters, rounds));
            }
        }
        catch (CommandException refused)
        {
            throw new FormatException(refused.Message, refused);
        }
        finally
        {
            if (args.Text("--folder") is null)
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        measurements.Add(new("load average", RoundBenchmark.LoadAverage(), "", "of the last minute, this benchmark included"));
        return measurements;
    }

    private static IReadOnlyList<string> Chosen(string? named, IReadOnlyList<string> usual) =>
        named switch { null => usual, "none" => [], _ => named.Split(',') };

    private static async Task<IReadOnlyList<Measurement>> OfProgramAsync(string variant, string folder, int parameters, int starts)
    {
        var published = await PublishedClient.PublishAsync(variant, folder);
        await using var host = await ClientHost.StartAsync();
        await using var tap = CheckInTap.Open(host.Address);
        var code = await host.EnrolmentCodeAsync("edge", tap.Address);
        using var device = new ClientDevice(published, code);

        // The first start enrols and makes a key; the others are those of every day.
        var first = await StartOnceAsync(device, tap);
        var often = new List<(double Seconds, TimeSpan Processor)>();
        for (var i = 0; i < starts; i++)
        {
            often.Add(await StartOnceAsync(device, tap));
        }

        var times = often.Select(start => start.Seconds).Order().ToList();
        var work = often.Select(start => start.Processor.TotalMilliseconds).Order().ToList();
        device.Start();
        await tap.NextCheckInAsync();
        await Task.Delay(TimeSpan.FromSeconds(2));
        var idle = device.Usage;
        await host.RunAsync(EdgeSpec(parameters));
        var after = device.Usage;
        device.Stop();
        var hidden = HiddenOf(parameters);
        return
        [
            new($"{variant}: published size", published.Bytes / MiB, "MiB", $"{published.Files} files, no symbols"),
            new($"{variant}: first start", first.Seconds * 1000, "ms", "process start to the first check-in on the wire, enrolment included"),
            new($"{variant}: start", times[times.Count / 2] * 1000, "ms", $"the same when it has enrolled, median of {starts}; {times[0] * 1000:0} to {times[^1] * 1000:0}"),
            new($"{variant}: start, processor", work[work.Count / 2], "ms", $"processor time by then, which a busy machine stretches less; {work[0]:0} to {work[^1]:0}"),
            new($"{variant}: memory, idle", idle.ResidentBytes / MiB, "MiB", "resident, while its check-in is held"),
            new($"{variant}: memory, peak", after.PeakBytes / MiB, "MiB", $"resident, in 3 rounds of a 64-{hidden}-{hidden}-10 network of {Count(hidden) / 1e6:0.00} M parameters, float32, one sample"),
            new($"{variant}: memory, after", after.ResidentBytes / MiB, "MiB", "resident, after those rounds"),
            new($"{variant}: processor", (after.Processor - idle.Processor).TotalMilliseconds / 3, "ms/round", "with compiling and the training of one sample; mean of the first 3 rounds"),
        ];
    }

    private static async Task<(double Seconds, TimeSpan Processor)> StartOnceAsync(ClientDevice device, CheckInTap tap)
    {
        var heard = tap.NextCheckInAsync();
        var began = Stopwatch.GetTimestamp();
        device.Start();
        var seconds = Stopwatch.GetElapsedTime(began, await heard).TotalSeconds;
        var processor = device.Usage.Processor;
        device.Stop();
        return (seconds, processor);
    }

    private static async Task<IReadOnlyList<Measurement>> OfRoundsAsync(string codec, int parameters, int rounds)
    {
        await using var host = await ClientHost.StartAsync();
        await host.PutModelAsync(parameters);
        await host.StartRunAsync(new RunSpec
        {
            Model = ClientHost.Model,
            Rounds = rounds + WarmUpRounds,
            Round = new RoundSpec { Minimum = 1, DeadlineSeconds = 3600 },
            Update = new UpdateSpec { Codec = codec },
        });
        using var client = await host.EnrolAsync("edge");
        var trainer = FedTrainer.Create(Nudge);
        var (allocated, processor, bytes) = (new List<double>(), new List<double>(), 0L);
        while (allocated.Count < rounds + WarmUpRounds)
        {
            var (allocatedBefore, processorBefore, sentBefore) = (GC.GetTotalAllocatedBytes(precise: true), Environment.CpuUsage.TotalTime, client.BytesUp);
            var step = await client.RunOnceAsync(trainer);
            if (step.Outcome == FedStepOutcome.Committed)
            {
                allocated.Add(GC.GetTotalAllocatedBytes(precise: true) - allocatedBefore);
                processor.Add((Environment.CpuUsage.TotalTime - processorBefore).TotalMilliseconds);
                bytes = client.BytesUp - sentBefore;
            }
        }

        return
        [
            new($"{codec}: allocated", Median(allocated) / KiB, "KiB", $"a round of {parameters} parameters after {WarmUpRounds}, median of {rounds}"),
            new($"{codec}: processor", Median(processor), "ms", $"a round: check-in, download, verify, delta, encode, upload, receipt; {bytes / KiB:0} KiB sent"),
        ];
    }

    // No training: one pass over the parameters, so that every delta is something.
    private static FitResult Nudge(FitContext context)
    {
        var at = 0;
        foreach (ref var value in context.Model.Parameters)
        {
            value += 1e-6f * (++at % 1000);
        }

        return new FitResult(1);
    }

    private static double Median(List<double> values) => values.Skip(WarmUpRounds).Order().ElementAt((values.Count - WarmUpRounds) / 2);

    private static RunSpec EdgeSpec(int parameters) => new()
    {
        Model = ClientHost.Model,
        Rounds = 3,
        Architecture = new ArchitectureSpec { Name = "mlp", Inputs = ClientDevice.Features, Hidden = [HiddenOf(parameters), HiddenOf(parameters)], Outputs = 10 },
        Round = new RoundSpec { Minimum = 1, DeadlineSeconds = 3600 },
    };

    /// <summary>The widest two hidden layers of the same width that keep the network within so many parameters.</summary>
    private static int HiddenOf(int parameters)
    {
        var hidden = 1;
        while (Count(hidden + 1) <= parameters)
        {
            hidden++;
        }

        return hidden;
    }

    private static long Count(long hidden) => ((ClientDevice.Features + 1) * hidden) + ((hidden + 1) * hidden) + ((hidden + 1) * 10);
}
