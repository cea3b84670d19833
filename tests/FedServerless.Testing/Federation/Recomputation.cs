using FedServerless.Activities.State;
using FedServerless.Model;
using FedServerless.Optimization;
using FedServerless.Storage;
using FedServerless.Wire.Updates;

namespace FedServerless.Testing.Federation;

/// <summary>
/// A round's model worked out again from plan, seal, accepted and the retained updates, one coordinate at a time, by none of
/// the product's kernels: what the published bytes must be (weighted mean; server SGD or FedAvgM).
/// </summary>
public static class Recomputation
{
    public static async Task<ModelState> OfRoundAsync(IObjectStore disk, SimulatedClients clients, string run, int round)
    {
        var none = CancellationToken.None;
        var plan = (await disk.GetAsync(StoreNames.Plan(run, round), StoreJson.Default.RoundPlan, none)).Value;
        var accepted = (await disk.GetAsync(StoreNames.Accepted(run, round), StoreJson.Default.AcceptedDocument, none)).Value.Accepted;
        var start = await clients.ReadModelAsync(plan.Base.Object, none);
        var shape = UpdateShape.Create(start.Layout, plan.Update);
        var sums = new double[start.Layout.FloatCount];
        var integers = (long[])start.Integers.Clone();
        var chunk = new double[sums.Length];
        var inChunk = 0;
        foreach (var update in accepted.OrderBy(update => update.Client, StringComparer.Ordinal))
        {
            // Clients are summed in chunks of 1024, and the chunks' sums are added in order.
            if (inChunk == 1024)
            {
                AddTo(sums, chunk);
                inChunk = 0;
            }

            inChunk++;
            var (values, whole) = await DecodeAsync(disk, plan, shape, update);
            for (var i = 0; i < sums.Length; i++)
            {
                var product = update.Weight * values[i];
                chunk[i] += product;
            }

            for (var i = 0; i < integers.Length; i++)
            {
                integers[i] = Math.Max(integers[i], whole[i]);
            }
        }

        AddTo(sums, chunk);
        var total = accepted.Sum(update => update.Weight);
        var momentum = await MomentumAsync(disk, plan);
        var result = new float[sums.Length];
        for (var i = 0; i < result.Length; i++)
        {
            var mean = sums[i] / total;
            var step = plan.Optimizer.LearningRate * (i < momentum.Length ? (plan.Optimizer.Beta1 * momentum[i]) + mean : mean);
            result[i] = i < start.Layout.ParameterCount ? (float)(start.Values[i] + step) : (float)mean;
        }

        return new ModelState(start.Layout, result, integers);
    }

    private static void AddTo(double[] sums, double[] chunk)
    {
        for (var i = 0; i < sums.Length; i++)
        {
            sums[i] += chunk[i];
            chunk[i] = 0;
        }
    }

    private static async Task<float[]> MomentumAsync(IObjectStore disk, RoundPlan plan)
    {
        switch (plan.Optimizer.Name)
        {
            case ServerOptimizers.FedAvg:
                return [];
            case ServerOptimizers.FedAvgM when plan.OptimizerState is { } state:
                var file = await disk.FindBytesAsync(state.Object, CancellationToken.None);
                return ModelStateFile.Read(file!.Value.Content).Values;
            case ServerOptimizers.FedAvgM:
                return new float[plan.Parameters];
            default:
                throw new NotSupportedException($"{plan.Optimizer.Name} is not worked out again here.");
        }
    }

    private static async Task<(float[] Values, long[] Integers)> DecodeAsync(IObjectStore disk, RoundPlan plan, UpdateShape shape, AcceptedUpdate update)
    {
        var none = CancellationToken.None;
        var bytes = await disk.FindBytesAsync(StoreNames.UpdateHeader(plan.Run, plan.Round, update.Client, update.Header), none);
        if (!UpdateHeader.TryParse(bytes!.Value.Content, shape, plan.Base.Digest, out var header, out var problem))
        {
            throw new InvalidOperationException(problem);
        }

        var payload = new MemoryStream();
        for (var part = 0; part < UpdateParts.Cut(header, plan.Update.PartBytes).Count; part++)
        {
            var content = await disk.FindBytesAsync(StoreNames.UpdatePart(plan.Run, plan.Round, update.Client, update.Header, part), none);
            payload.Write(content!.Value.Content);
        }

        var values = new float[shape.Layout.FloatCount];
        var integers = new long[shape.Layout.IntegerCount];
        for (var block = 0; block < shape.BlockCount; block++)
        {
            var encoded = payload.ToArray().AsSpan((int)header.BlockOffset(block), header.BlockLength(block));
            var (start, count) = shape.ValuesOf(block);
            _ = block < shape.FloatBlocks
                ? header.TryDecodeBlock(block, encoded, values.AsSpan((int)start, count))
                : header.TryDecodeBlock(block, encoded, integers.AsSpan((int)start, count));
        }

        return (values, integers);
    }
}
