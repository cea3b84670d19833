using System.Runtime.InteropServices;
using FedServerless.Activities.Models;
using FedServerless.Activities.State;
using FedServerless.Aggregation.Robust;
using FedServerless.Storage;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Activities.Rounds;

/// <summary>
/// Step 8, the first pass of rules that compare clients: inner products of the updates over one coordinate range, a matrix for each
/// fixed super-block, so that who adds them does so in the same order however the coordinates were cut.
/// </summary>
internal sealed class MeasureShard(IObjectStore store, RoundReader rounds, ModelCatalog models) : IActivity<MeasureInput, int>
{
    public async Task<int> RunAsync(MeasureInput input, CancellationToken cancellationToken)
    {
        if (await store.HeadAsync(StoreNames.Decision(input.Run, input.Round), cancellationToken) is not null
            || await rounds.IsOverAsync(input.Run, input.Round, cancellationToken))
        {
            return 0;
        }

        var plan = (await rounds.PlanAsync(input.Run, input.Round, cancellationToken)).Value;
        var round = await RobustRound.OpenAsync(store, rounds, models, plan, cancellationToken);
        var accepted = await rounds.AcceptedAsync(plan, cancellationToken);
        var rows = Rows(plan, accepted.Value);
        var size = rows.Length + round.Rule.ExtraRows.Count(role => role != RowRole.Root);
        var kernel = new BlockGram(size);
        var partials = new PartialSums(store, plan);
        var range = RoundGeometry.Range(plan, input.Shard);
        var measured = 0;
        foreach (var (superBlock, part) in SuperBlocks(range))
        {
            var partial = GramPartial(superBlock, size, accepted.Digest);
            if (await partials.HasAsync(partial, cancellationToken))
            {
                continue;
            }

            var gram = new double[size * size];
            await round.ForEachBlockAsync(
                rows, part, withExtraRows: true,
                (block, tile) =>
                {
                    if (!kernel.TryAccumulate(tile, gram))
                    {
                        throw new InvalidDataException($"Block {block} of an update passed validation and is now illegal.");
                    }
                },
                cancellationToken);
            await partials.WriteAsync(partial, 0, bytes => MemoryMarshal.AsBytes(gram.AsSpan()).CopyTo(bytes), cancellationToken);
            measured++;
        }

        return measured;
    }

    /// <summary>The clients that are compared, then the trusted one where the rule has one.</summary>
    internal static AcceptedUpdate[] Rows(RoundPlan plan, AcceptedDocument accepted) =>
        [.. RobustRound.Judged(plan, accepted), .. accepted.Accepted.Where(update => update.Client == plan.Aggregation.RootClient)];

    /// <summary>Where a super-block's matrix lies.</summary>
    internal static PartialSum GramPartial(int superBlock, int size, Wire.Digest accepted) => new(PartialSum.Gram, superBlock, size * size, accepted);

    private static IEnumerable<(int SuperBlock, ShardRange Part)> SuperBlocks(ShardRange range)
    {
        for (var start = range.Start; start < range.Start + range.Count; start += RoundGeometry.SuperBlock)
        {
            var count = (int)Math.Min(RoundGeometry.SuperBlock, range.Start + range.Count - start);
            yield return ((int)(start / RoundGeometry.SuperBlock), new ShardRange(start, count, false));
        }
    }
}
