using System.Runtime.InteropServices;
using FedServerless.Capacity;
using FedServerless.Compression;
using FedServerless.Numerics;

namespace FedServerless.Aggregation.Robust;

/// <summary>
/// A rule over updates that lie in memory, decoded: what simulations and attack laboratories run. The numbers are those of
/// the sharded path: the same blocks of <see cref="ShardLayout.SuperBlock"/> coordinates, the same kernels.
/// </summary>
public static class UpdateMatrix
{
    /// <summary>Aggregates.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="updates">The clients' updates in the order of their ids, all of one length, finite.</param>
    /// <param name="weights">The clients' weights, above 0.</param>
    /// <param name="extraRows">The rows that <see cref="RobustRule.ExtraRows"/> names, but for <see cref="RowRole.Zero"/>.</param>
    /// <param name="chance">The round's.</param>
    /// <param name="aggregate">As long as an update; overwritten unless the rule refuses.</param>
    /// <returns>What was decided.</returns>
    public static ColumnPass Aggregate(
        RobustRule rule, IReadOnlyList<float[]> updates, IReadOnlyList<double> weights, IReadOnlyDictionary<RowRole, float[]> extraRows,
        DeterministicRandom chance, Span<double> aggregate)
    {
        ArgumentNullException.ThrowIfNull(rule);
        ArgumentNullException.ThrowIfNull(updates);
        ArgumentNullException.ThrowIfNull(extraRows);
        var rows = updates.ToList();
        foreach (var role in rule.ExtraRows)
        {
            rows.Add(role == RowRole.Zero ? new float[aggregate.Length] : extraRows[role]);
        }

        var gram = rule.NeedsGram && updates.Count > 0 ? Gram(rows, aggregate.Length) : null;
        var pass = rule.Decide(gram, weights, [.. updates.Select(update => Reductions.Norm(update))], chance);
        if (pass.Refusal is null)
        {
            Run(pass, rows, updates.Count, aggregate);
        }

        return pass;
    }

    private static GramMatrix Gram(List<float[]> rows, int length)
    {
        var total = new double[rows.Count * rows.Count];
        var part = new double[total.Length];
        var block = new BlockGram(rows.Count);
        for (var start = 0; start < length; start += (int)ShardLayout.SuperBlock)
        {
            Array.Clear(part);
            block.TryAccumulate(Open(rows, start, Math.Min((int)ShardLayout.SuperBlock, length - start)), part);
            for (var i = 0; i < total.Length; i++)
            {
                total[i] += part[i];
            }
        }

        return new GramMatrix(rows.Count, total);
    }

    private static void Run(ColumnPass pass, List<float[]> rows, int clients, Span<double> aggregate)
    {
        if (pass.Kind == ColumnPassKind.WeightedSum)
        {
            aggregate.Clear();
            for (var i = 0; i < pass.Weights.Count; i++)
            {
                if (pass.Weights[i] != 0)
                {
                    Aggregation.WeightedMean.Accumulate(rows[i], pass.Weights[i], aggregate);
                }
            }

            return;
        }

        List<float[]> chosen = [.. rows.Take(clients).Where((_, i) => pass.Weights[i] > 0)];
        var pieces = ColumnPassKernel.Create(pass, chosen.Count);
        for (var start = 0; start < aggregate.Length; start += (int)ShardLayout.SuperBlock)
        {
            var count = Math.Min((int)ShardLayout.SuperBlock, aggregate.Length - start);
            if (!pieces.TryRun(Open(chosen, start, count), aggregate.Slice(start, count)))
            {
                throw new ArgumentException("An update has a value that is not finite.", nameof(rows));
            }
        }
    }

    private static UpdateTile Open(List<float[]> rows, int start, int count)
    {
        ReadOnlyMemory<byte>[] blocks = [.. rows.Select(row => (ReadOnlyMemory<byte>)MemoryMarshal.AsBytes(row.AsSpan(start, count)).ToArray())];
        return UpdateTile.TryOpen(UpdateCodecs.All.Get(UpdateCodecs.Float32), blocks, count, null, out var tile)
            ? tile
            : throw new ArgumentException("The updates differ in length.", nameof(rows));
    }
}
