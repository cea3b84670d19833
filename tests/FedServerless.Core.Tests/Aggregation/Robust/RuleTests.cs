using FedServerless.Aggregation.Robust;
using FedServerless.Numerics;

namespace FedServerless.Core.Tests.Aggregation.Robust;

/// <summary>Hand cases, bounds and laws of the rules; numbers against numpy are in <see cref="OracleTests"/>.</summary>
public sealed class RuleTests
{
    // PITFALLS 32: squared distances to n − f − 2 others.
    [Fact]
    public void Krum_ByHand_CountsTheNearestOthersOnly()
    {
        // On a line: 0, 1, 3, 100, 101 with f = 1; two nearest of each: 1+9, 1+4, 4+9, 1+97², 1+98².
        var scores = Krum.Scores(Blocks.Gram([0], [1], [3], [100], [101]), f: 1);

        Assert.Equal([10, 5, 13, 1 + (97.0 * 97), 1 + (98.0 * 98)], scores);
    }

    // PITFALLS 32.
    [Fact]
    public void Krum_EqualScores_TakesTheLowestClient()
    {
        var choice = Krum.Choose(Blocks.Gram([1], [1], [1], [1], [1]), f: 1, keep: 1);

        Assert.Equal([1, 0, 0, 0, 0], choice.Weights);
    }

    [Fact]
    public void Krum_SampleWeights_WeighTheChosenOnly()
    {
        var choice = Krum.Choose(Blocks.Gram([0], [0], [0], [9], [-9]), f: 1, keep: 2, sampleWeights: [1, 3, 5, 7, 9]);

        Assert.Equal([0.25, 0.75, 0, 0, 0], choice.Weights);
    }

    // PITFALLS 32.
    [Theory]
    [InlineData(5, 1, true)]
    [InlineData(4, 1, false)]
    [InlineData(23, 10, true)]
    [InlineData(22, 10, false)]
    public void Krum_Bound_IsTwoFPlusThree(int clients, int f, bool holds)
    {
        var choice = Krum.Choose(Blocks.Gram(Blocks.Random(clients, 3, seed: 7)), f, keep: 1);

        Assert.Equal(holds, choice.Refusal is null);
        Assert.Equal(holds, choice.Weights.Count == clients);
    }

    // PITFALLS 32.
    [Fact]
    public void Krum_MoreKeptThanThePaperAllows_IsRefusedWithTheBound()
    {
        var choice = Krum.Choose(Blocks.Gram(Blocks.Random(10, 3, seed: 8)), f: 3, keep: 6);

        Assert.Contains("n−f−2 = 5", choice.Refusal, StringComparison.Ordinal);
    }

    // PITFALLS 33.
    [Theory]
    [InlineData(11, 2, true)]
    [InlineData(10, 2, false)]
    public void Bulyan_Bound_IsFourFPlusThree(int clients, int f, bool holds)
    {
        var choice = Bulyan.Choose(Blocks.Gram(Blocks.Random(clients, 3, seed: 9)), f);

        Assert.Equal(holds ? null : "refused: n < 4f+3 (n = 10, f = 2; at most f = 1 for so many clients, or at least 11 clients for this f)", choice.Refusal);
        Assert.Equal(holds ? clients - (2 * f) : 0, choice.Weights.Count(weight => weight == 1));
    }

    [Theory]
    [InlineData(3, 1, true)]
    [InlineData(2, 1, false)]
    public void Majority_Bound_IsTwoFPlusOne(int clients, int f, bool holds) =>
        Assert.Equal(holds, ByzantineBounds.Majority(clients, f) is null);

    // PITFALLS 35: three steps are not converged.
    [Fact]
    public void GeometricMedian_Triangle_IsTheFermatPoint()
    {
        // All angles below 120°, so the sides are seen from it under 120°: for this triangle at (0, 1/√3).
        float[][] corners = [[-1, 0], [1, 0], [0, 3]];

        var found = GeometricMedian.Find(Blocks.Gram(corners), f: 1);

        var point = Blocks.Combine(found.Weights, corners);
        Assert.Equal(0, point[0], 1e-6);
        Assert.Equal(1 / Math.Sqrt(3), point[1], 1e-6);
    }

    [Fact]
    public void GeometricMedian_MostRowsEqual_IsThatRow()
    {
        float[][] updates = [[7, -3], [7, -3], [7, -3], [1e15f, 0], [0, 1e15f]];

        var found = GeometricMedian.Find(Blocks.Gram(updates), f: 2);

        Assert.Equal([7.0, -3.0], Blocks.Combine(found.Weights, updates).Select(value => Math.Round(value, 9)));
    }

    [Fact]
    public void GeometricMedian_OneUpdate_IsThatUpdate()
    {
        var found = GeometricMedian.Find(Blocks.Gram([3, 4]), f: 0);

        Assert.Equal([1.0], found.Weights);
    }

    [Fact]
    public void GeometricMedian_TwoRowsOf1E15AmongNine_MovesByLittle()
    {
        var updates = Blocks.Random(9, 50, seed: 10);
        var honest = GeometricMedian.Find(Blocks.Gram(updates[..7]), f: 2);
        Array.Fill(updates[7], 1e15f);
        Array.Fill(updates[8], 1e15f);

        var found = GeometricMedian.Find(Blocks.Gram(updates), f: 2);

        var shift = Blocks.Combine(found.Weights, updates).Zip(Blocks.Combine(honest.Weights, updates[..7])).Sum(pair => Math.Pow(pair.First - pair.Second, 2));
        Assert.InRange(Math.Sqrt(shift), 0, 2 * Math.Sqrt(50));
    }

    [Fact]
    public void CenteredClipping_NothingIsClipped_IsTheMeanAfterOneStep()
    {
        float[][] rows = [[1, 0], [0, 1], [2, 2], [0, 0]];

        var found = CenteredClipping.Find(Blocks.Gram(rows), f: 1, radius: 1e6, iterations: 1);

        Assert.All(found.Weights.Take(3), weight => Assert.Equal(1.0 / 3, weight, 1e-15));
        Assert.Equal(0, found.Weights[3], 1e-15);
    }

    [Fact]
    public void CenteredClipping_OneHugeRow_MovesTheCentreByAtMostTheRadiusOverN()
    {
        float[][] rows = [[1e15f], [0], [0], [0], [0]];

        var found = CenteredClipping.Find(Blocks.Gram(rows), f: 1, radius: 2, iterations: 1);

        Assert.Equal(2.0 / 4, Blocks.Combine(found.Weights, rows)[0], 1e-9);
    }

    [Fact]
    public void NormBounding_ByHand_ShortensTheLongOnesOnly()
    {
        var found = NormBounding.Find([0, 1, 4], [1, 1, 2], bound: 2);

        Assert.Equal([0.25, 0.25, 0.25], found.Weights);
    }

    [Fact]
    public void FlTrust_OpposedUpdate_GetsNothing()
    {
        float[][] rows = [[2, 0], [-5, 0], [0, 3], [1, 0], [0, 0]];

        var found = FlTrust.Find(Blocks.Gram(rows));

        Assert.Equal([0.5, 0.0, 0.0], found.Weights);
    }

    [Theory]
    [InlineData(0f, "the root update is zero")]
    [InlineData(-1f, "no update points")]
    public void FlTrust_RootThatHelpsNobody_IsRefused(float root, string reason)
    {
        var found = FlTrust.Find(Blocks.Gram([1], [2], [root], [0]));

        Assert.Contains(reason, found.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Buckets_AnySize_UseEveryClientOnceAndAddToOne()
    {
        var mixing = Mixings.Buckets(10, 4, DeterministicRandom.Derive(1, "test"));

        Assert.Equal(3, mixing.Rows);
        Assert.Equal(3, Mixings.BucketCount(10, 4));
        for (var client = 0; client < 10; client++)
        {
            Assert.Equal(1, Enumerable.Range(0, 3).Count(row => mixing.Row(row)[client] > 0));
        }

        for (var row = 0; row < 3; row++)
        {
            Assert.Equal(1, mixing.Row(row).ToArray().Sum(), 1e-15);
        }
    }

    [Fact]
    public void NearestNeighbours_ByHand_LeavesTheFarOneOut()
    {
        var mixing = Mixings.NearestNeighbours(Blocks.Gram([0], [1], [2], [90]), f: 1);

        Assert.Equal(0, mixing.Row(0)[3]);
        Assert.Equal(1.0 / 3, mixing.Row(3)[3]);
        Assert.Equal(0, mixing.Row(3)[0]);
    }

    [Fact]
    public void ToClients_WeightsOfRows_ComeBackToTheClients()
    {
        var mixing = new RowMixing(2, 3, [0.5, 0.5, 0, 0, 0, 1]);

        Assert.Equal([0.25, 0.25, 0.5], mixing.ToClients([0.5, 0.5]));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(-0.1)]
    public void RowMixing_WeightThatIsNone_IsRefused(double weight) =>
        Assert.Throws<ArgumentException>(() => new RowMixing(1, 2, [1, weight]));

    // PITFALLS 35: the iteration starts on a row, which divides by zero without a floor.
    [Fact]
    public void GeometricMedian_HalfOfTheRowsEqualButLight_IsTheHeavyOne()
    {
        // Σ αᵢ|z − xᵢ| = 2|z − 1| + 10|z − 5| is least at 5.
        float[][] updates = [[1], [1], [5]];

        var found = GeometricMedian.Find(Blocks.Gram(updates), f: 0, alpha: [1, 1, 10]);

        Assert.Equal(5, Blocks.Combine(found.Weights, updates)[0], 1e-5);
    }

    // PITFALLS 35: weights are clients' claims.
    [Theory]
    [InlineData(3.9, true)]
    [InlineData(4, false)]
    public void GeometricMedian_LiarsMayHoldHalfOfTheWeight_IsRefused(double heaviest, bool holds)
    {
        var found = GeometricMedian.Find(Blocks.Gram(Blocks.Random(5, 3, seed: 11)), f: 1, alpha: [1, heaviest, 1, 1, 1]);

        Assert.Equal(holds ? null : "refused: the f = 1 heaviest updates have 50 % of the weight; a geometric median bears less than half", found.Refusal);
    }

    [Theory]
    [InlineData(AggregationRules.Krum)]
    [InlineData(AggregationRules.MultiKrum)]
    [InlineData(AggregationRules.WeightedMultiKrum)]
    [InlineData(AggregationRules.GeometricMedian)]
    [InlineData(AggregationRules.CenteredClipping)]
    [InlineData(AggregationRules.FlTrust)]
    public void Decide_WeightedSum_HasTheCosinesToTheAggregate(string name)
    {
        var updates = Blocks.Random(7, 40, seed: 12);
        updates[6] = [.. updates[5].Select(value => -value)];
        var (pass, aggregate) = Aggregate(new RobustOptions { Rule = name, Byzantine = name == AggregationRules.FlTrust ? 0 : 1 }, updates);

        // The cosine by its definition, on the vectors themselves.
        var expected = updates.Select(update => Dot([.. update], aggregate) / Math.Sqrt(Dot([.. update], [.. update]) * Dot(aggregate, aggregate)));
        Assert.All(expected.Zip(pass.Cosines), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
        Assert.Equal(7, pass.Cosines.Count);
        Assert.Equal(-pass.Cosines[5], pass.Cosines[6], 1e-9);
    }

    [Fact]
    public void Decide_AllUpdatesZero_HasNoAngle()
    {
        var (pass, aggregate) = Aggregate(new RobustOptions { Rule = AggregationRules.MultiKrum, Byzantine = 1 }, [.. Enumerable.Range(0, 5).Select(_ => new float[3])]);

        Assert.All(pass.Cosines, cosine => Assert.Equal(0, cosine));
        Assert.Equal([0, 0, 0], aggregate);
    }

    [Fact]
    public void Decide_FlTrust_WeighsBuffersByTrustHoweverShortTheUpdate()
    {
        var (pass, _) = Aggregate(new RobustOptions { Rule = AggregationRules.FlTrust }, [[1, 0], [1e-20f, 0], [-1, 0]], root: [1, 0]);

        Assert.Equal([1.0, 1.0, 0.0], pass.BufferWeights!);
        Assert.Equal(0.5, pass.Weights[0], 1e-12);
        Assert.Equal(0.5e20, pass.Weights[1], 1e14);
    }

    [Fact]
    public void Decide_FlTrustShortUpdateBesideLongOnes_IsScaledToTheRootExactly()
    {
        float[][] updates = [[0.7f, 0.1f], [0.9f, 0.3f], [1.1f, 0.7f], [3e-9f, 1e-9f]];
        var (pass, _) = Aggregate(new RobustOptions { Rule = AggregationRules.FlTrust }, updates, root: [1, 0.3f]);

        // Each client's share of the aggregate is as long as its share of the trust says: ‖g₀‖·TSᵢ/ΣTS.
        var length = Math.Sqrt(Dot([.. updates[3]], [.. updates[3]])) * pass.Weights[3];
        Assert.Equal(Math.Sqrt(1.09) * pass.BufferWeights![3] / pass.BufferWeights.Sum(), length, 1e-6);
        Assert.InRange(pass.BufferWeights[3], 0.99, 1);
    }

    [Fact]
    public void Decide_BulyanAfterBuckets_LeavesOutWhoIsInNoBucketPicked()
    {
        var updates = Blocks.Random(14, 30, seed: 13);
        var mixing = Mixings.Buckets(14, 2, DeterministicRandom.Derive(1, "round"));
        float[][] means = [.. Enumerable.Range(0, 7).Select(row => Blocks.Combine(mixing.Row(row).ToArray(), updates).Select(value => (float)value).ToArray())];

        var (pass, aggregate) = Aggregate(
            new RobustOptions { Rule = AggregationRules.Bulyan, Byzantine = 1, Mixing = AggregationRules.Buckets, BucketSize = 2 }, updates);

        var (direct, expected) = Aggregate(new RobustOptions { Rule = AggregationRules.Bulyan, Byzantine = 1 }, means);
        Assert.Equal(expected, aggregate);
        Assert.Equal(
            Enumerable.Range(0, 14).Where(client => Enumerable.Range(0, 7).Any(row => direct.Weights[row] == 0 && mixing.Row(row)[client] > 0)),
            Enumerable.Range(0, 14).Where(client => pass.Weights[client] == 0));
        Assert.Equal(4, pass.Weights.Count(weight => weight == 0));
    }

    // PITFALLS 36: the rule sees the mixed rows, and nothing else.
    [Theory]
    [InlineData(AggregationRules.Median, AggregationRules.Neighbours)]
    [InlineData(AggregationRules.Median, AggregationRules.Buckets)]
    [InlineData(AggregationRules.TrimmedMean, AggregationRules.Neighbours)]
    public void Decide_AfterMixing_IsTheRuleOverTheMixedRows(string rule, string mixing)
    {
        var updates = Blocks.Random(9, 30, seed: 14);
        var rows = mixing == AggregationRules.Buckets
            ? Mixings.Buckets(9, 2, DeterministicRandom.Derive(1, "round"))
            : Mixings.NearestNeighbours(Blocks.Gram(updates), f: 2);
        float[][] mixed = [.. Enumerable.Range(0, rows.Rows).Select(row => Blocks.Combine(rows.Row(row).ToArray(), updates).Select(value => (float)value).ToArray())];

        var (_, aggregate) = Aggregate(new RobustOptions { Rule = rule, Byzantine = 2, Mixing = mixing, BucketSize = 2 }, updates);

        var (_, expected) = Aggregate(new RobustOptions { Rule = rule, Byzantine = 2 }, mixed);
        Assert.All(expected.Zip(aggregate), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
    }

    // PITFALLS 32: asked before anything is measured, too; n − f − 2 = 5.
    [Theory]
    [InlineData(4, true)]
    [InlineData(5, true)]
    [InlineData(6, false)]
    public void Refuse_MultiKrumAroundItsBound_TakesThePapers(int keep, bool holds) =>
        Assert.Equal(holds, new RobustRule(new RobustOptions { Rule = AggregationRules.MultiKrum, Byzantine = 3, Keep = keep }).Refuse(10) is null);

    // PITFALLS 34: k off each end of n leave something only while 2k < n.
    [Theory]
    [InlineData(null, 1, 3, null)]
    [InlineData(null, 1, 2, "refused: 1 values trimmed off each end leave none of 2")]
    [InlineData(0.4999999999, 0, 3, null)]
    [InlineData(0.4999999999, 0, 2, "refused: 1 values trimmed off each end leave none of 2")]
    public void Refuse_TrimmedMeanOfNothing_IsRefused(double? trim, int f, int clients, string? refusal) =>
        Assert.Equal(refusal, new RobustRule(new RobustOptions { Rule = AggregationRules.TrimmedMean, Byzantine = f, Trim = trim }).Refuse(clients));

    private static (ColumnPass Pass, double[] Aggregate) Aggregate(RobustOptions options, float[][] updates, float[]? root = null)
    {
        var aggregate = new double[updates[0].Length];
        var extra = new Dictionary<RowRole, float[]> { [RowRole.Previous] = new float[aggregate.Length], [RowRole.Root] = root ?? updates[0] };
        var pass = UpdateMatrix.Aggregate(
            new RobustRule(options), updates, [.. updates.Select(_ => 1.0)], extra, DeterministicRandom.Derive(1, "round"), aggregate);
        Assert.Null(pass.Refusal);
        return (pass, aggregate);
    }

    private static double Dot(double[] a, double[] b) => a.Zip(b).Sum(pair => pair.First * pair.Second);
}
