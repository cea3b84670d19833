using System.Buffers;
using FedServerless.Activities.State;
using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Privacy;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Activities.Rounds;

/// <summary>Looks at every byte of one update: hashes, shape, finiteness, norm. Everything in it is hostile until then.</summary>
internal sealed class UpdateInspector(IObjectStore store, RoundReader rounds)
{
    /// <summary>
    /// Farthest that an integer may be from the base's: 2⁴⁰. Integers take the maximum, so without a bound one client would
    /// set a counter to the end of its range for good.
    /// </summary>
    internal const long MaxIntegerStep = 1L << 40;

    /// <summary>Buffers of this name hold variances in every framework that writes them so; a negative one is an attack or a bug.</summary>
    private const string VarianceSuffix = "running_var";

    /// <summary>Why the update is refused, or null and its L2 norm; in a private round also how it gets onto the grid.</summary>
    /// <param name="plan">The round's plan.</param>
    /// <param name="shape">What an update of it looks like.</param>
    /// <param name="integers">The base's integers.</param>
    /// <param name="client">Whose update.</param>
    /// <param name="receipt">What it claims: the model it is against, the header's digest, and how the payload is cut.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<Inspection> InspectAsync(
        RoundPlan plan, UpdateShape shape, long[] integers, string client, Receipt receipt, CancellationToken cancellationToken)
    {
        var (digest, partBytes) = (receipt.HeaderDigest, receipt.PartBytes ?? plan.Update.PartBytes);
        if (partBytes != plan.Update.PartBytes && !(partBytes >= plan.Update.MinPartBytes && partBytes < plan.Update.PartBytes))
        {
            return new Inspection($"it is cut into parts of {partBytes} bytes, which the plan does not allow", 0);
        }

        var (header, problem) = await rounds.HeaderAsync(plan, shape, client, digest, cancellationToken);
        if (header is null)
        {
            return new Inspection(problem, 0);
        }

        if (header.BaseDigest != receipt.BaseDigest)
        {
            return new Inspection($"its header is against {header.BaseDigest}, its receipt names {receipt.BaseDigest}", 0);
        }

        var squares = new RunningSumOfSquares();
        var parts = UpdateParts.Cut(header, partBytes);
        foreach (var part in parts)
        {
            var reason = await InspectPartAsync(plan, header, client, part, squares, integers, cancellationToken);
            if (reason is not null)
            {
                return new Inspection(reason, 0);
            }
        }

        if (!double.IsFinite(squares.Norm))
        {
            return new Inspection("its norm is not finite", 0);
        }

        // A private round clips; it never refuses for a norm, and keeps none.
        return plan.Privacy is { } privacy ? new Inspection(null, 0, await FitAsync(plan, privacy.Grid, parts, header, client, squares.Norm, cancellationToken))
            : plan.Aggregation.MaxNorm is { } bound && squares.Norm > bound ? new Inspection($"its norm {squares.Norm:G6} exceeds the bound {bound:G6}", 0)
            : new Inspection(null, squares.Norm);
    }

    /// <summary>The scale with which an update that was found sound fits the grid: mostly one more pass over it.</summary>
    private async Task<GridScale> FitAsync(
        RoundPlan plan, UpdateGrid grid, UpdateParts parts, UpdateHeader header, string client, double norm, CancellationToken cancellationToken)
    {
        var fit = grid.BeginFit(norm);
        while (!fit.IsDone)
        {
            var total = default(UInt128);
            foreach (var part in parts)
            {
                total += await SumOfSquaresAsync(plan, header, client, part, fit.Factor, cancellationToken);
            }

            fit.Offer(total);
        }

        return fit.Scale;
    }

    private async Task<UInt128> SumOfSquaresAsync(
        RoundPlan plan, UpdateHeader header, string client, UpdatePart part, double factor, CancellationToken cancellationToken)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(part.Length);
        var values = ArrayPool<float>.Shared.Rent(UpdateFormat.MaxBlockCoordinates);
        try
        {
            var name = StoreNames.UpdatePart(plan.Run, plan.Round, client, header.Digest, part.Index);
            if (await store.ReadWholeAsync(name, bytes.AsMemory(0, part.Length), cancellationToken) != part.Length)
            {
                throw new InvalidDataException($"'{name}' was whole and is gone.");
            }

            var total = default(UInt128);
            for (var block = part.FirstBlock; block < part.FirstBlock + part.BlockCount; block++)
            {
                var encoded = bytes.AsSpan((int)(header.BlockOffset(block) - part.Offset), header.BlockLength(block));
                var decoded = values.AsSpan(0, header.Shape.ValuesOf(block).Count);
                if (!header.VerifyBlock(block, encoded) || !header.TryDecodeBlock(block, encoded, decoded))
                {
                    throw new InvalidDataException($"Block {block} of update {header.Digest} changed while it was validated.");
                }

                total += UpdateGrid.SumOfSquares(decoded, factor);
            }

            return total;
        }
        finally
        {
            ArrayPool<float>.Shared.Return(values);
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private async Task<string?> InspectPartAsync(
        RoundPlan plan, UpdateHeader header, string client, UpdatePart part, RunningSumOfSquares squares, long[] integers,
        CancellationToken cancellationToken)
    {
        var name = StoreNames.UpdatePart(plan.Run, plan.Round, client, header.Digest, part.Index);
        var bytes = ArrayPool<byte>.Shared.Rent(part.Length);
        var values = ArrayPool<float>.Shared.Rent(UpdateFormat.MaxBlockCoordinates);
        try
        {
            var length = await store.ReadWholeAsync(name, bytes.AsMemory(0, part.Length), cancellationToken);
            if (length != part.Length)
            {
                return length is null ? $"part {part.Index} was never uploaded" : $"part {part.Index} has {length} bytes, expected {part.Length}";
            }

            for (var block = part.FirstBlock; block < part.FirstBlock + part.BlockCount; block++)
            {
                var offset = (int)(header.BlockOffset(block) - part.Offset);
                var reason = InspectBlock(header, block, bytes.AsSpan(offset, header.BlockLength(block)), values, squares, integers);
                if (reason is not null)
                {
                    return reason;
                }
            }

            return null;
        }
        finally
        {
            ArrayPool<float>.Shared.Return(values);
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private static string? InspectBlock(
        UpdateHeader header, int block, ReadOnlySpan<byte> bytes, float[] scratch, RunningSumOfSquares squares, long[] integers)
    {
        if (!header.VerifyBlock(block, bytes))
        {
            return $"block {block} is not what its header signed";
        }

        var section = header.Shape.SectionOf(block);
        if (section == UpdateSection.Integers)
        {
            return FarInteger(header, block, bytes, integers);
        }

        if (section == UpdateSection.Parameters)
        {
            return header.TryAddSquares(block, bytes, scratch, squares)
                ? null
                : $"block {block} is not a legal {header.Shape.Codec.Name} block of finite values";
        }

        var values = scratch.AsSpan(0, header.Shape.ValuesOf(block).Count);
        return !header.TryDecodeBlock(block, bytes, values)
            ? $"block {block} is not a legal block of finite values"
            : NegativeVariance(header.Shape, block, values);
    }

    private static string? FarInteger(UpdateHeader header, int block, ReadOnlySpan<byte> bytes, long[] integers)
    {
        var (start, count) = header.Shape.ValuesOf(block);
        var values = new long[count];
        if (!header.TryDecodeBlock(block, bytes, values.AsSpan()))
        {
            return $"block {block} is not a legal block of integers";
        }

        for (var i = 0; i < count; i++)
        {
            if (Int128.Abs((Int128)values[i] - integers[start + i]) > MaxIntegerStep)
            {
                return $"integer {start + i} is {values[i]}, more than {MaxIntegerStep} from the base's {integers[start + i]}";
            }
        }

        return null;
    }

    private static string? NegativeVariance(UpdateShape shape, int block, ReadOnlySpan<float> values)
    {
        var start = shape.ValuesOf(block).Start;
        for (var i = 0; i < shape.Layout.Tensors.Count; i++)
        {
            var tensor = shape.Layout.Tensors[i];
            if (tensor.Role != TensorRole.Buffer || !tensor.Name.EndsWith(VarianceSuffix, StringComparison.Ordinal))
            {
                continue;
            }

            var from = Math.Max(shape.Layout.Offsets[i], start);
            var to = Math.Min(shape.Layout.Offsets[i] + tensor.Length, start + values.Length);
            for (var position = from; position < to; position++)
            {
                if (values[(int)(position - start)] < 0)
                {
                    return $"buffer '{tensor.Name}' has a negative variance";
                }
            }
        }

        return null;
    }
}

/// <summary>What was found out about an update.</summary>
/// <param name="Reason">Why it is refused, or null.</param>
/// <param name="Norm">L2 norm of its parameters; 0 when refused, and in a private round.</param>
/// <param name="Scale">How it gets onto the grid of a private round; null when refused, and in any other.</param>
internal readonly record struct Inspection(string? Reason, double Norm, GridScale? Scale = null);
