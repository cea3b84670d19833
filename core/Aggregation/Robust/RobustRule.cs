using FedServerless.Numerics;

namespace FedServerless.Aggregation.Robust;

/// <summary>
/// One round's rule: what it needs, whom it can bear, and what it makes of the updates' inner products. Holds no coordinates:
/// the passes over them are the caller's, in memory or in shards.
/// </summary>
public sealed class RobustRule
{
    private readonly RobustOptions _options;

    /// <summary>Takes the rule with its numbers.</summary>
    /// <exception cref="ArgumentException">A name or a number is not legal.</exception>
    public RobustRule(RobustOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!AggregationRules.Names.Contains(options.Rule, StringComparer.Ordinal) || !AggregationRules.Mixings.Contains(options.Mixing, StringComparer.Ordinal))
        {
            throw new ArgumentException($"There is no rule '{options.Rule}' after '{options.Mixing}'.", nameof(options));
        }

        if (options.Mixing != AggregationRules.NoMixing
            && options.Rule is (AggregationRules.WeightedMean or AggregationRules.NormBounding or AggregationRules.FlTrust))
        {
            throw new ArgumentException($"'{options.Rule}' looks at each update alone; '{options.Mixing}' before it has no meaning.", nameof(options));
        }

        ArgumentOutOfRangeException.ThrowIfNegative(options.Byzantine);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Keep);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BucketSize, 1);
        if (options.Trim is { } trim && !(trim >= 0 && trim < 0.5))
        {
            throw new ArgumentException($"The share trimmed is {trim}; expected 0 or more, below 0.5.", nameof(options));
        }

        _options = options;
    }

    /// <summary>True when <see cref="Decide"/> needs inner products.</summary>
    public bool NeedsGram => _options.Mixing == AggregationRules.Neighbours || _options.Rule is
        AggregationRules.Krum or AggregationRules.MultiKrum or AggregationRules.WeightedMultiKrum or AggregationRules.Bulyan
        or AggregationRules.GeometricMedian or AggregationRules.CenteredClipping or AggregationRules.FlTrust;

    /// <summary>Rows beside the clients', in this order.</summary>
    public IReadOnlyList<RowRole> ExtraRows => _options.Rule switch
    {
        AggregationRules.CenteredClipping => [RowRole.Previous, RowRole.Zero],
        AggregationRules.FlTrust => [RowRole.Root, RowRole.Zero],
        AggregationRules.Krum or AggregationRules.MultiKrum or AggregationRules.WeightedMultiKrum or AggregationRules.GeometricMedian => [RowRole.Zero],
        _ => [],
    };

    /// <summary>Why so many updates are too few for the rule, for people; null when they are enough. Asked when a run is created and of the accepted set.</summary>
    /// <param name="clients">Updates, 0 or more; with FLTrust without the root's.</param>
    public string? Refuse(int clients)
    {
        if (clients < 1)
        {
            return "refused: there is no update";
        }

        var (rows, f) = (RowsAfterMixing(clients), _options.Byzantine);
        if (_options.Mixing == AggregationRules.Neighbours && ByzantineBounds.Majority(clients, f) is { } problem)
        {
            return problem;
        }

        return _options.Rule switch
        {
            AggregationRules.TrimmedMean when 2 * TrimOf(rows) >= rows => $"refused: {TrimOf(rows)} values trimmed off each end leave none of {rows}",
            AggregationRules.TrimmedMean when TrimOf(rows) < f => $"refused: a share of {_options.Trim:R} trims {TrimOf(rows)} of {rows} values off each end, fewer than f = {f}",
            AggregationRules.Median or AggregationRules.TrimmedMean or AggregationRules.GeometricMedian or AggregationRules.CenteredClipping =>
                ByzantineBounds.Majority(rows, f),
            AggregationRules.MultiKrum or AggregationRules.WeightedMultiKrum when _options.Keep > rows - f - 2 && ByzantineBounds.Krum(rows, f) is null =>
                $"refused: Multi-Krum keeps at most n−f−2 = {rows - f - 2} of n = {rows} with f = {f}; {_options.Keep} were asked for",
            AggregationRules.Krum or AggregationRules.MultiKrum or AggregationRules.WeightedMultiKrum => ByzantineBounds.Krum(rows, f),
            AggregationRules.Bulyan => ByzantineBounds.Bulyan(rows, f),
            _ => null,
        };
    }

    /// <summary>Decides.</summary>
    /// <param name="gram">Inner products of the clients' updates, then of <see cref="ExtraRows"/>; null when <see cref="NeedsGram"/> is false.</param>
    /// <param name="weights">The clients' final weights, above 0.</param>
    /// <param name="norms">The L2 norms of the clients' updates.</param>
    /// <param name="chance">The plan's, for bucketing in this round.</param>
    public ColumnPass Decide(GramMatrix? gram, IReadOnlyList<double> weights, IReadOnlyList<double> norms, DeterministicRandom chance)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(norms);
        ArgumentOutOfRangeException.ThrowIfNotEqual(norms.Count, weights.Count);
        if (NeedsGram)
        {
            ArgumentNullException.ThrowIfNull(gram);
            ArgumentOutOfRangeException.ThrowIfNotEqual(gram.Count, weights.Count + ExtraRows.Count);
        }

        if (Refuse(weights.Count) is { } problem)
        {
            return new ColumnPass { Refusal = problem };
        }

        if (gram is { IsFinite: false })
        {
            return new ColumnPass { Refusal = "refused: the distances between the updates are not finite" };
        }

        var mixing = Mix(gram, weights.Count, chance);
        return _options.Rule switch
        {
            AggregationRules.Median => Columns(ColumnPassKind.Median, weights.Count, mixing),
            AggregationRules.TrimmedMean => Columns(ColumnPassKind.TrimmedMean, weights.Count, mixing) with { Trim = TrimOf(RowsAfterMixing(weights.Count)) },
            AggregationRules.Bulyan => DecideBulyan(gram!, weights.Count, mixing),
            _ => WithAngles(Sum(DecideWeights(Mixed(Compared(gram), mixing, weights.Count), Rows(weights, mixing), norms), mixing), gram, weights.Count),
        };
    }

    // The zero row is there for the angles; only FLTrust's own formula looks at it.
    private GramMatrix? Compared(GramMatrix? gram) =>
        gram is null || _options.Rule == AggregationRules.FlTrust ? gram : gram.Select([.. Enumerable.Range(0, gram.Count - 1)]);

    private ColumnPass WithAngles(ColumnPass pass, GramMatrix? gram, int clients) => gram is null || pass.Refusal is not null ? pass : pass with
    {
        Cosines = ClientAngles.ToSum(gram, clients, pass.Weights),

        // Lengths say nothing about buffers: a short update that is scaled up would bring its buffers along, as many times.
        BufferWeights = _options.Rule == AggregationRules.FlTrust ? [.. pass.Scores.Select(cosine => Math.Max(0, cosine))] : null,
    };

    /// <summary>Values that the trimmed mean takes off each end of so many.</summary>
    private int TrimOf(int rows) => _options.Trim is { } share ? (int)Math.Floor(share * rows + 1e-9) : _options.Byzantine;

    private int RowsAfterMixing(int clients) =>
        _options.Mixing == AggregationRules.Buckets ? Mixings.BucketCount(clients, _options.BucketSize) : clients;

    private RowMixing? Mix(GramMatrix? gram, int clients, DeterministicRandom chance) => _options.Mixing switch
    {
        AggregationRules.Buckets => Mixings.Buckets(clients, _options.BucketSize, chance),
        AggregationRules.Neighbours => Mixings.NearestNeighbours(gram!.Select([.. Enumerable.Range(0, clients)]), _options.Byzantine),
        _ => null,
    };

    private ClientWeighting DecideWeights(GramMatrix? gram, IReadOnlyList<double> weights, IReadOnlyList<double> norms) => _options.Rule switch
    {
        AggregationRules.WeightedMean => ClientWeighting.Of(ClientOrder.MeanOf([.. Enumerable.Range(0, weights.Count)], weights.Count, weights), []),
        AggregationRules.Krum => Robust.Krum.Choose(gram!, _options.Byzantine, 1),
        AggregationRules.MultiKrum => Robust.Krum.Choose(gram!, _options.Byzantine, _options.Keep),
        AggregationRules.WeightedMultiKrum => Robust.Krum.Choose(gram!, _options.Byzantine, _options.Keep, weights),
        AggregationRules.GeometricMedian => Robust.GeometricMedian.Find(gram!, _options.Byzantine, weights),
        AggregationRules.CenteredClipping => Robust.CenteredClipping.Find(gram!, _options.Byzantine, _options.ClipRadius, _options.ClipSteps),
        AggregationRules.NormBounding => Robust.NormBounding.Find(norms, weights, _options.NormBound),
        AggregationRules.FlTrust => Robust.FlTrust.Find(gram!, norms),
        _ => throw new InvalidOperationException($"Rule '{_options.Rule}' has no weights."),
    };

    private ColumnPass DecideBulyan(GramMatrix gram, int clients, RowMixing? mixing)
    {
        var choice = Robust.Bulyan.Choose(Mixed(gram, mixing, clients)!, _options.Byzantine);
        if (choice.Refusal is not null)
        {
            return new ColumnPass { Refusal = choice.Refusal };
        }

        var rows = choice.Weights.Count;
        var (weights, picked) = mixing is null ? (choice.Weights, null) : Picked(mixing, choice.Weights);
        return Columns(ColumnPassKind.MeanAroundMedian, clients, picked) with
        {
            Weights = weights,
            Keep = Robust.Bulyan.Kept(rows, _options.Byzantine),
            Scores = choice.Scores,
        };
    }

    /// <summary>The rows picked, over the clients that are in one of them; the others take no part.</summary>
    private static (IReadOnlyList<double> Weights, RowMixing Mixing) Picked(RowMixing mixing, IReadOnlyList<double> picked)
    {
        int[] rows = [.. Enumerable.Range(0, mixing.Rows).Where(row => picked[row] > 0)];
        int[] clients = [.. Enumerable.Range(0, mixing.Clients).Where(client => rows.Any(row => mixing.Row(row)[client] > 0))];
        double[] weights = [.. rows.SelectMany(row => clients.Select(client => mixing.Row(row)[client]))];
        return ([.. Enumerable.Range(0, mixing.Clients).Select(client => clients.Contains(client) ? 1.0 : 0)], new RowMixing(rows.Length, clients.Length, weights));
    }

    private static ColumnPass Columns(ColumnPassKind kind, int clients, RowMixing? mixing) =>
        new() { Kind = kind, Weights = [.. Enumerable.Repeat(1.0, clients)], Mixing = mixing };

    private static ColumnPass Sum(ClientWeighting weighting, RowMixing? mixing)
    {
        if (weighting.Refusal is not null)
        {
            return new ColumnPass { Refusal = weighting.Refusal, Steps = weighting.Steps };
        }

        IReadOnlyList<double> weights = weighting.Weights;
        if (mixing is not null)
        {
            var extra = weights.Count - mixing.Rows;
            weights = [.. mixing.ToClients([.. weights.Take(mixing.Rows)]), .. weights.TakeLast(extra)];
        }

        return new ColumnPass { Kind = ColumnPassKind.WeightedSum, Weights = weights, Scores = weighting.Scores, Steps = weighting.Steps };
    }

    // Extra rows are not mixed: they stand after the mixed ones as they are.
    private static GramMatrix? Mixed(GramMatrix? gram, RowMixing? mixing, int clients)
    {
        if (gram is null || mixing is null)
        {
            return gram;
        }

        var extra = gram.Count - clients;
        var (rows, columns) = (mixing.Rows + extra, gram.Count);
        var weights = new double[rows * columns];
        for (var r = 0; r < mixing.Rows; r++)
        {
            mixing.Row(r).CopyTo(weights.AsSpan(r * columns));
        }

        for (var e = 0; e < extra; e++)
        {
            weights[((mixing.Rows + e) * columns) + clients + e] = 1;
        }

        return gram.Mix(new RowMixing(rows, columns, weights));
    }

    // A mixed row weighs what its clients weigh together, each by its share in it.
    private static IReadOnlyList<double> Rows(IReadOnlyList<double> weights, RowMixing? mixing)
    {
        if (mixing is null)
        {
            return weights;
        }

        var rows = new double[mixing.Rows];
        for (var r = 0; r < rows.Length; r++)
        {
            var row = mixing.Row(r);
            for (var j = 0; j < row.Length; j++)
            {
                rows[r] += row[j] * weights[j];
            }
        }

        return rows;
    }
}
