using FedServerless.Aggregation.Robust;
using FedServerless.Compression;
using FedServerless.Wire;

namespace FedServerless.Core.Tests.Specs;

/// <summary>What an aggregation spec must be; one problem for one mistake, and it says what would be right.</summary>
public sealed class AggregationSpecTests
{
    private static readonly RunSpec Legal = new() { Model = "digits", Rounds = 10 };

    public static TheoryData<string> Rules => [.. AggregationRules.Names];

    public static TheoryData<AggregationSpec, string, string> Mistakes => new()
    {
        { new() { Rule = "Median" }, "aggregation.rule", "one of weighted-mean, median" },
        { new() { Rule = "median", Mixing = "bucket" }, "aggregation.mixing", "one of none, buckets, neighbours" },
        { new() { Byzantine = 1 }, "aggregation.byzantine", "a rule that bears a number of liars" },
        { new() { Rule = "krum", Byzantine = -1 }, "aggregation.byzantine", "from 0 to 2000" },
        { new() { Rule = "krum", Byzantine = 2001 }, "aggregation.byzantine", "from 0 to 2000" },
        { new() { Rule = "median", Trim = 0.1 }, "aggregation.trim", "belongs to aggregation.rule 'trimmed-mean'" },
        { new() { Rule = "trimmed-mean", Trim = 0.5 }, "aggregation.trim", "from 0, below 0.5" },
        { new() { Rule = "trimmed-mean", Trim = double.NaN }, "aggregation.trim", "from 0, below 0.5" },
        { new() { Rule = "krum", Keep = 2 }, "aggregation.keep", "belongs to aggregation.rule 'multi-krum'" },
        { new() { Rule = "multi-krum", Keep = 0 }, "aggregation.keep", "from 1 to 2000" },
        { new() { Rule = "centered-clipping" }, "aggregation.clipRadius", "a number above 0" },
        { new() { Rule = "centered-clipping", ClipRadius = 0 }, "aggregation.clipRadius", "a number above 0" },
        { new() { Rule = "centered-clipping", ClipRadius = 1, ClipSteps = 1001 }, "aggregation.clipSteps", "from 1 to 1000" },
        { new() { Rule = "median", ClipRadius = 1 }, "aggregation.clipRadius", "belongs to aggregation.rule 'centered-clipping'" },
        { new() { Rule = "norm-bounding" }, "aggregation.normBound", "a number above 0" },
        { new() { Rule = "median", NormBound = 1 }, "aggregation.normBound", "belongs to aggregation.rule 'norm-bounding'" },
        { new() { Rule = "fltrust" }, "aggregation.rootClient", Identifiers.Rule },
        { new() { Rule = "fltrust", RootClient = "no spaces" }, "aggregation.rootClient", Identifiers.Rule },
        { new() { Rule = "median", RootClient = "mine" }, "aggregation.rootClient", "belongs to aggregation.rule 'fltrust'" },
        { new() { Mixing = "buckets" }, "aggregation.mixing", "rules that compare clients" },
        { new() { Rule = "median", BucketSize = 2 }, "aggregation.bucketSize", "belongs to aggregation.mixing 'buckets'" },
        { new() { Rule = "median", Mixing = "buckets", BucketSize = 1 }, "aggregation.bucketSize", "from 2 to 1000" },
        { new() { MaxNormRatio = 1 }, "aggregation.maxNormRatio", "above 1" },
        { new() { Rule = "median", Levels = 2 }, "aggregation.levels", "1 or nothing" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Validate_OneMistake_IsOneProblemThatSaysWhatIsRight(AggregationSpec aggregation, string field, string expected)
    {
        var problem = Assert.Single(RunSpecValidator.Validate(Legal with { Aggregation = aggregation }));

        Assert.Equal(field, problem.Field);
        Assert.Contains(expected, problem.Expected, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("krum", 4, 9, true)]
    [InlineData("krum", 4, 11, false)]
    [InlineData("bulyan", 2, 11, false)]
    [InlineData("bulyan", 2, 10, true)]
    [InlineData("median", 5, 11, false)]
    [InlineData("median", 5, 10, true)]
    public void Validate_CohortOfKnownSize_MustBearItsLiars(string rule, int f, int clients, bool isRefused)
    {
        var problems = RunSpecValidator.Validate(Legal with
        {
            Aggregation = new() { Rule = rule, Byzantine = f },
            Selection = new() { Kind = "uniform", Clients = clients },
        });

        Assert.Equal(isRefused ? ["selection.clients"] : [], problems.Select(problem => problem.Field));
        Assert.All(problems, problem => Assert.Contains("refused: n < ", problem.Expected, StringComparison.Ordinal));
    }

    [Fact]
    public void Validate_Buckets_AskTheBoundOfTheBuckets()
    {
        var problems = RunSpecValidator.Validate(Legal with
        {
            Aggregation = new() { Rule = "krum", Byzantine = 2, Mixing = "buckets", BucketSize = 2 },
            Selection = new() { Kind = "uniform", Clients = 12 },
        });

        Assert.Contains("n < 2f+3 (n = 6, f = 2", Assert.Single(problems).Expected, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_TooManyClientsToCompare_IsRefused()
    {
        var problems = RunSpecValidator.Validate(Legal with { Aggregation = new() { Rule = "krum" }, Selection = new() { Kind = "uniform", Clients = 2001 } });

        Assert.Contains("at most 2000", Assert.Single(problems).Expected, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_CenteredClippingWithAnotherOptimizer_IsRefused()
    {
        var problems = RunSpecValidator.Validate(Legal with
        {
            Aggregation = new() { Rule = "centered-clipping", ClipRadius = 1 },
            Optimizer = new() { Name = "fedadam" },
        });

        Assert.Equal("optimizer.name", Assert.Single(problems).Field);
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void Fits_EveryRule_GoesWithDenseCodecsAndOnlySumsWithSparseOnes(string rule)
    {
        // Top-k sends other coordinates of each client; ternary leaves no middle value but zero.
        var sums = rule is "weighted-mean" or "norm-bounding" or "centered-clipping";
        var middles = rule is "median" or "trimmed-mean" or "bulyan";
        string[] refused = [.. sums ? [] : new[] { "top-k", "top-k-float16", "top-k-int8" }, .. middles ? ["ternary"] : Array.Empty<string>()];

        Assert.Equal(refused, UpdateCodecs.All.Where(codec => !RuleCodecs.Fits(rule, codec)).Select(codec => codec.Name));
        Assert.All(UpdateCodecs.All, codec => Assert.Equal(RuleCodecs.Fits(rule, codec), RuleCodecs.Refuse(rule, codec) is null));
        Assert.Equal(rule is "weighted-mean" or "norm-bounding" or "centered-clipping", RuleCodecs.Fits(rule, new SparseCodec()));
        Assert.False(RuleCodecs.Fits(rule, new SparseCodec(), AggregationRules.Neighbours));
    }

    private sealed class SparseCodec : IUpdateCodec
    {
        public string Name => "sparse";

        public byte Id => 200;

        public bool IsComparable => false;

        public (int Min, int Max) EncodedLength(int coordinates) => (0, 0);

        public int Encode(ReadOnlySpan<float> values, Span<byte> destination) => 0;

        public bool TryDecode(ReadOnlySpan<byte> block, Span<float> destination) => false;
    }
}
