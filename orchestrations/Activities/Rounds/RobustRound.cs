using System.Numerics;
using FedServerless.Activities.Models;
using FedServerless.Activities.State;
using FedServerless.Aggregation.Robust;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Activities.Rounds;

/// <summary>A round under a robust rule: who is compared, which rows stand beside them, and how the blocks of all are read together.</summary>
internal sealed class RobustRound
{
    /// <summary>Most bytes of encoded blocks that an activity has in memory at once; the planner cuts blocks so that one of each client fits.</summary>
    public const long BlockBudget = 256L << 20;

    private readonly IObjectStore _store;
    private readonly RoundReader _rounds;
    private readonly ModelCatalog _models;

    private RobustRound(IObjectStore store, RoundReader rounds, ModelCatalog models, RoundPlan plan, UpdateShape shape, RobustRule rule)
    {
        (_store, _rounds, _models) = (store, rounds, models);
        (Plan, Shape, Rule) = (plan, shape, rule);
    }

    public RoundPlan Plan { get; }

    public UpdateShape Shape { get; }

    public RobustRule Rule { get; }

    /// <summary>The clients that the rule decides about, in client-id order: all accepted ones but the trusted one.</summary>
    public static AcceptedUpdate[] Judged(RoundPlan plan, AcceptedDocument accepted) =>
        [.. accepted.Accepted.Where(update => update.Client != plan.Aggregation.RootClient)];

    /// <summary>Opens it.</summary>
    public static async Task<RobustRound> OpenAsync(
        IObjectStore store, RoundReader rounds, ModelCatalog models, RoundPlan plan, CancellationToken cancellationToken)
    {
        var rule = plan.Aggregation.ToRule() ?? throw new InvalidOperationException($"'{plan.Aggregation.Rule}' decides nothing.");
        return new RobustRound(store, rounds, models, plan, await rounds.ShapeAsync(plan, cancellationToken), rule);
    }

    /// <summary>
    /// Hands out the blocks of a range one after another, each with the bytes of all updates named and the values of the extra
    /// rows: as many blocks are read at once as fit the budget.
    /// </summary>
    public async Task ForEachBlockAsync(
        IReadOnlyList<AcceptedUpdate> updates, ShardRange range, bool withExtraRows, Action<int, UpdateTile> visit, CancellationToken cancellationToken)
    {
        if (range.Count == 0)
        {
            return;
        }

        var (first, count) = Shape.BlocksOf(range.Start, range.Count);
        var codec = range.IsBuffers ? Compression.UpdateCodecs.All.Get(Compression.UpdateCodecs.Float32) : Shape.Codec;
        var reader = new AcceptedUpdates(_store, _rounds, Plan, Shape, updates);
        var longest = Enumerable.Range(first, count).Max(block => (long)Shape.BlockLengthBounds(block).Max);
        var atOnce = BlocksAtOnce(longest, updates.Count, count);
        for (var next = first; next < first + count; next += atOnce)
        {
            var blocks = Math.Min(atOnce, first + count - next);
            var start = Shape.ValuesOf(next).Start;
            var extra = withExtraRows ? await ReadExtraRowsAsync(start, (int)(Shape.ValuesOf(next + blocks - 1).Start + Shape.ValuesOf(next + blocks - 1).Count - start), cancellationToken) : [];
            await reader.ForEachTogetherAsync(
                next, blocks,
                (block, bytes) =>
                {
                    var (at, length) = Shape.ValuesOf(block);
                    float[][] rows = [.. extra.Select(row => row.AsSpan((int)(at - start), length).ToArray())];
                    visit(block, UpdateTile.TryOpen(codec.ForBlock(block), bytes, length, rows, out var tile)
                        ? tile
                        : throw new InvalidDataException($"Block {block} of an update passed validation and is now illegal."));
                },
                cancellationToken);
        }
    }

    /// <summary>Blocks of each update that fit the budget together, at least one. What is rented has a power of two for its length: that counts.</summary>
    internal static int BlocksAtOnce(long longest, int updates, int blocks)
    {
        var each = (long)BitOperations.RoundUpToPowerOf2((ulong)(BlockBudget / updates) + 1) / 2;
        return (int)Math.Clamp(each / longest, 1, blocks);
    }

    /// <summary>
    /// The model's last step over a range: this version's weights less its parent's, over the server's rate. It is the previous
    /// round's aggregate, rounded to float32. Zero where no round of this run made the version: what lies between it and its parent,
    /// if it has one, is no aggregate of these clients at this rate.
    /// </summary>
    public async Task<float[]> ReadPreviousAsync(long start, int count, CancellationToken cancellationToken)
    {
        var step = new float[count];
        var manifest = await _models.ManifestAsync(Plan.Model, Plan.BaseVersion, cancellationToken);
        if (manifest.Value.Parent is not { } parent || manifest.Value.Run != Plan.Run)
        {
            return step;
        }

        var before = new float[count];
        await _models.ReadFloatsAsync(Plan.Base, start, step, cancellationToken);
        var parentManifest = await _models.ManifestAsync(Plan.Model, parent, cancellationToken);
        await _models.ReadFloatsAsync(parentManifest.Value.Weights, start, before, cancellationToken);
        for (var i = 0; i < count; i++)
        {
            step[i] = (float)(((double)step[i] - before[i]) / Plan.Optimizer.LearningRate);
        }

        return step;
    }

    private async Task<float[][]> ReadExtraRowsAsync(long start, int count, CancellationToken cancellationToken)
    {
        var rows = new List<float[]>();
        foreach (var role in Rule.ExtraRows)
        {
            switch (role)
            {
                case RowRole.Zero:
                    rows.Add(new float[count]);
                    break;

                case RowRole.Previous:
                    rows.Add(await ReadPreviousAsync(start, count, cancellationToken));
                    break;

                default:
                    // The trusted client's update comes as a block, after the others'.
                    break;
            }
        }

        return [.. rows];
    }
}
