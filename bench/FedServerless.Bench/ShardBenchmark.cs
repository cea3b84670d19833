using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using FedServerless.Activities;
using FedServerless.Activities.State;
using FedServerless.Aggregation.Robust;
using FedServerless.Model;
using FedServerless.Storage;
using FedServerless.Storage.Files;
using FedServerless.Storage.Presigned;
using FedServerless.Wire;
using FedServerless.Wire.Updates;
using FedServerless.Workflows.Rounds;
using FedServerless.Workflows.Runs;

namespace FedServerless.Bench;

/// <summary>
/// A sealed round of n updates of d parameters in files, aggregated by the real activities under every rule: reading, hashing,
/// deciding, the server's step and the slices included, two activities at once. Memory is the process's peak.
/// </summary>
internal static class ShardBenchmark
{
    private const string Run = "bench";

    private static readonly CancellationToken None = CancellationToken.None;

    private static readonly RoundInput Round = new(Run, 1);

    public static IReadOnlyList<Measurement> Measure(IReadOnlyList<string> args) => MeasureAsync(args).GetAwaiter().GetResult();

    private static async Task<IReadOnlyList<Measurement>> MeasureAsync(IReadOnlyList<string> args)
    {
        var clients = args.Number("--clients", 200);
        var parameters = args.Number("--parameters", 6_600_000);
        var atOnce = args.Number("--at-once", 2);
        var rules = args.Text("--rules")?.Split(',') ?? [.. AggregationRules.Names];
        var folder = Directory.CreateTempSubdirectory("fed-bench-").FullName;
        try
        {
            var time = TimeProvider.System;
            var store = FileObjectStore.Open(new FileObjectStoreOptions { Root = folder, Signer = new PresignedUrlSigner(new byte[32], time), Time = time, FlushToDisk = false });
            var ids = Enumerable.Range(0, clients).Select(i => $"client-{i:D5}").ToArray();
            var plan = await PrepareAsync(store, ids, parameters);
            var results = new List<Measurement>();
            foreach (var rule in rules)
            {
                results.AddRange(await MeasureAsync(store, ids, plan, rule, atOnce));
            }

            return results;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Version 0, a plan, everybody's update, the seal and the verdicts.</summary>
    private static async Task<RoundPlan> PrepareAsync(FileObjectStore store, string[] ids, int parameters)
    {
        var spec = new RunSpec
        {
            Model = "bench",
            Rounds = 1,
            Architecture = new ArchitectureSpec { Name = Architectures.Softmax, Inputs = (parameters / 10) - 1, Outputs = 10 },
            Aggregation = new AggregationSpec { Rule = AggregationRules.Median },
            RetainUpdates = true,
        };
        await store.PutAsync(StoreNames.Run(Run), new RunDocument(Run, spec), StoreJson.Default.RunDocument, PutCondition.CreateOnce, None);
        var activities = Activities(store, ids);
        await activities.DecideStep.RunAsync(new RunProgress(Run), None);
        await activities.PlanRound.RunAsync(Round, None);
        await activities.OpenRound.RunAsync(Round, None);
        var plan = (await store.GetAsync(StoreNames.Plan(Run, 1), StoreJson.Default.RoundPlan, None)).Value;
        await Parallel.ForEachAsync(ids.Index(), new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (client, _) => await SendAsync(store, plan, client.Item, client.Index));
        var seal = await activities.SealRound.RunAsync(Round, None);
        for (var chunk = 0; chunk < seal.Chunks; chunk++)
        {
            await activities.ValidateUpdates.RunAsync(new ValidationChunk(Run, 1, chunk), None);
        }

        return plan;
    }

    private static async Task SendAsync(FileObjectStore store, RoundPlan plan, string client, int index)
    {
        var layout = Architectures.Initialize(
            new ArchitectureSpec { Name = Architectures.Softmax, Inputs = (int)(plan.Parameters / 10) - 1, Outputs = 10 }, 0).Layout;
        var shape = UpdateShape.Create(layout, plan.Update);
        var random = new Random(index);
        var deltas = new float[plan.Parameters];
        for (var i = 0; i < deltas.Length; i++)
        {
            deltas[i] = random.NextSingle() - 0.5f;
        }

        var payload = new MemoryStream();
        var header = UpdateEncoder.EncodeDeltas(shape, plan.Base.Digest, deltas, [], [], payload);
        await store.PutBytesAsync(StoreNames.UpdateHeader(Run, 1, client, header.Digest), header.Bytes.ToArray(), PutCondition.CreateOnce, None);
        foreach (var part in UpdateParts.Cut(header, plan.Update.PartBytes))
        {
            await store.PutBytesAsync(
                StoreNames.UpdatePart(Run, 1, client, header.Digest, part.Index), payload.GetBuffer().AsMemory((int)part.Offset, (int)part.Length), PutCondition.CreateOnce, None);
        }

        var receipt = new Receipt(client, Run, 1, plan.Base.Digest, header.Digest, header.Bytes.Length + payload.Length, 100, ImmutableSortedDictionary<string, double>.Empty);
        await store.PutAsync(StoreNames.Receipt(Run, 1, client), new ReceiptDocument(receipt, "", "", ""), StoreJson.Default.ReceiptDocument, PutCondition.CreateOnce, None);
    }

    private static async Task<IReadOnlyList<Measurement>> MeasureAsync(FileObjectStore store, string[] ids, RoundPlan plan, string rule, int atOnce)
    {
        await foreach (var facts in store.ListAsync(StoreNames.Slices(Run, 1), None))
        {
            await store.DeleteAsync(facts.Name, None);
        }

        await store.DeleteAsync(StoreNames.Accepted(Run, 1), None);
        await store.DeleteAsync(StoreNames.Decision(Run, 1), None);
        var bears = rule is not (AggregationRules.WeightedMean or AggregationRules.NormBounding or AggregationRules.FlTrust);
        var aggregation = new AggregationSpec
        {
            Rule = rule,
            Byzantine = bears ? Math.Max(0, (ids.Length - 3) / 4) : 0,
            ClipRadius = rule == AggregationRules.CenteredClipping ? 1 : null,
            NormBound = rule == AggregationRules.NormBounding ? 1 : null,
            RootClient = rule == AggregationRules.FlTrust ? ids[^1] : null,
        };
        await store.PutAsync(StoreNames.Plan(Run, 1), plan with { Aggregation = aggregation }, StoreJson.Default.RoundPlan, PutCondition.Overwrite, None);
        GC.Collect();
        ResetPeak();
        var start = Stopwatch.GetTimestamp();
        var refusal = await AggregateAsync(Activities(store, ids), plan, atOnce);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var what = $"{ids.Length} × {plan.Parameters} float32 in files, {atOnce} at once: {rule}";
        return
        [
            new Measurement(what, seconds, "s", refusal ?? $"{4.0 * ids.Length * plan.Parameters / seconds / 1e9:0.0} GB/s"),
            new Measurement(what + ", peak memory", PeakMebibytes(), "MiB"),
        ];
    }

    private static async Task<string?> AggregateAsync(ActivitySet activities, RoundPlan plan, int atOnce)
    {
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = atOnce };
        var accepted = await activities.AcceptUpdates.RunAsync(Round, None);
        if (accepted.Decides)
        {
            await Parallel.ForAsync(0, accepted.Measures, parallel, async (shard, token) => await activities.MeasureShard.RunAsync(new MeasureInput(Run, 1, shard), token));
            if ((await activities.DecideAggregation.RunAsync(Round, None)).Refusal is { } refusal)
            {
                return refusal;
            }
        }

        await Parallel.ForAsync(0, RoundGeometry.ShardCount(plan), parallel, async (shard, token) => await activities.ReduceShard.RunAsync(new ReduceInput(Run, 1, shard), token));
        return null;
    }

    private static ActivitySet Activities(FileObjectStore store, string[] ids) => new(store, new Everybody(ids), new Silent(), TimeProvider.System);

    /// <summary>The process's peak begins anew; Linux only, elsewhere it is that of all rules so far.</summary>
    private static void ResetPeak()
    {
        if (OperatingSystem.IsLinux())
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
        }
    }

    private static double PeakMebibytes()
    {
        if (!OperatingSystem.IsLinux())
        {
            return Process.GetCurrentProcess().PeakWorkingSet64 / 1048576.0;
        }

        var line = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }

    private sealed class Everybody(string[] ids) : IPresence
    {
        public Task<IReadOnlyList<string>> SeenLatelyAsync(string population, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<string>>(ids);
    }

    private sealed class Silent : IRoundBell
    {
        public void Ring(string population)
        {
        }
    }
}
