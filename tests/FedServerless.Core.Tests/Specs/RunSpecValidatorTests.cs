using FedServerless.Compression;
using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Core.Tests.Specs;

public class RunSpecValidatorTests
{
    private static readonly RunSpec Legal = new() { Model = "digits", Rounds = 10 };

    private static readonly RunSpec Uniform = Legal with { Selection = new() { Kind = "uniform", Clients = 10 } };

    /// <summary>Every limit: the field, and how to set it.</summary>
    public static TheoryData<string, Func<double, RunSpec>, double, double> IntegerLimits => new()
    {
        { "rounds", v => Legal with { Rounds = (int)v }, 1, RunLimits.MaxRounds },
        { "selection.clients", v => Legal with { Selection = new() { Kind = "uniform", Clients = (int)v } }, 1, RunLimits.MaxClients },
        { "round.quorum", v => Legal with { Round = new() { Quorum = (int)v } }, 1, RunLimits.MaxClients },
        { "round.minimum", v => Legal with { Round = new() { Minimum = (int)v } }, 1, RunLimits.MaxClients },
        { "training.epochs", v => Legal with { Training = new() { Epochs = (int)v } }, 1, RunLimits.MaxEpochs },
        { "training.batchSize", v => Legal with { Training = new() { BatchSize = (int)v } }, 0, RunLimits.MaxBatchSize },
        { "aggregation.minSamples", v => Legal with { Aggregation = new() { MinSamples = (long)v } }, 1, RunLimits.MaxSamples },
        { "aggregation.maxSamples", v => Legal with { Aggregation = new() { MaxSamples = (long)v } }, 1, RunLimits.MaxSamples },
        { "selection.quarantineAfter", v => Legal with { Selection = new() { QuarantineAfter = (int)v } }, 0, RunLimits.MaxQuarantineAfter },
        { "aggregation.byzantine", v => Legal with { Aggregation = new() { Rule = "krum", Byzantine = (int)v } }, 0, RunLimits.MaxComparedClients },
        { "aggregation.keep", v => Legal with { Aggregation = new() { Rule = "multi-krum", Keep = (int)v } }, 1, RunLimits.MaxComparedClients },
        { "aggregation.clipSteps", v => Legal with { Aggregation = new() { Rule = "centered-clipping", ClipRadius = 1, ClipSteps = (int)v } }, 1, 1000 },
        { "aggregation.bucketSize", v => Legal with { Aggregation = new() { Rule = "median", Mixing = "buckets", BucketSize = (int)v } }, 2, RunLimits.MaxBucketSize },
        { "update.partBytes", v => Legal with { Update = new() { PartBytes = (int)v } }, RunLimits.MinPartBytes, RunLimits.MaxPartBytes },
        { "evaluation.everyRounds", v => Legal with { Evaluation = new() { EveryRounds = (int)v } }, 1, RunLimits.MaxRounds },
        { "update.warmUpRounds", v => Legal with { Update = new() { Codec = "top-k-int8", WarmUpRounds = (int)v } }, 1, RunLimits.MaxWarmUpRounds },
        { "evaluation.patience", v => Legal with { Evaluation = new() { Patience = (int)v } }, 1, RunLimits.MaxPatience },
    };

    /// <summary>Closed at both ends.</summary>
    public static TheoryData<string, Func<double, RunSpec>, double, double> ClosedRanges => new()
    {
        { "selection.overSelection", v => Uniform with { Selection = Uniform.Selection with { OverSelection = v } }, 0, RunLimits.MaxOverSelection },
        { "round.deadlineSeconds", v => Legal with { Round = new() { DeadlineSeconds = v } }, RunLimits.MinDeadlineSeconds, RunLimits.MaxDeadlineSeconds },
        { "training.weightDecay", v => Legal with { Training = new() { WeightDecay = v } }, 0, RunLimits.MaxWeightDecay },
        { "training.proximalMu", v => Legal with { Training = new() { ProximalMu = v } }, 0, RunLimits.MaxProximalMu },
        { "optimizer.tau", v => Legal with { Optimizer = new() { Tau = v } }, RunLimits.MinTau, RunLimits.MaxTau },
        { "update.keep", v => Legal with { Update = new() { Codec = "top-k-int8", Keep = v } }, RunLimits.MinKeep, RunLimits.MaxKeep },
        { "evaluation.deadlineSeconds", v => Legal with { Evaluation = new() { DeadlineSeconds = v } }, RunLimits.MinDeadlineSeconds, RunLimits.MaxDeadlineSeconds },
    };

    /// <summary>Above the first, at most the second.</summary>
    public static TheoryData<string, Func<double, RunSpec>, double, double> AboveRanges => new()
    {
        { "selection.rate", v => Legal with { Selection = new() { Kind = "poisson", Rate = v } }, 0, 1 },
        { "training.learningRate", v => Legal with { Training = new() { LearningRate = v } }, 0, RunLimits.MaxLearningRate },
        { "aggregation.maxNorm", v => Legal with { Aggregation = new() { MaxNorm = v } }, 0, RunLimits.MaxNorm },
        { "selection.minReputation", v => Legal with { Selection = new() { MinReputation = v } }, 0, 1 },
        { "aggregation.maxNormRatio", v => Legal with { Aggregation = new() { MaxNormRatio = v } }, 1, RunLimits.MaxNormRatio },
        { "aggregation.clipRadius", v => Legal with { Aggregation = new() { Rule = "centered-clipping", ClipRadius = v } }, 0, RunLimits.MaxNorm },
        { "aggregation.normBound", v => Legal with { Aggregation = new() { Rule = "norm-bounding", NormBound = v } }, 0, RunLimits.MaxNorm },
        { "optimizer.learningRate", v => Legal with { Optimizer = new() { LearningRate = v } }, 0, RunLimits.MaxLearningRate },
        { "evaluation.targetAccuracy", v => Legal with { Evaluation = new() { TargetAccuracy = v } }, 0, 1 },
    };

    /// <summary>From the first, below the second.</summary>
    public static TheoryData<string, Func<double, RunSpec>, double, double> BelowRanges => new()
    {
        { "aggregation.trim", v => Legal with { Aggregation = new() { Rule = "trimmed-mean", Trim = v } }, 0, 0.5 },
        { "training.momentum", v => Legal with { Training = new() { Momentum = v } }, 0, 1 },
        { "optimizer.beta1", v => Legal with { Optimizer = new() { Beta1 = v } }, 0, 1 },
        { "optimizer.beta2", v => Legal with { Optimizer = new() { Beta2 = v } }, 0, 1 },
    };

    public static TheoryData<string, Func<double, RunSpec>> Numbers
    {
        get
        {
            var rows = new TheoryData<string, Func<double, RunSpec>>();
            foreach (var row in ClosedRanges.Concat(AboveRanges).Concat(BelowRanges))
            {
                rows.Add(row.Data.Item1, row.Data.Item2);
            }

            return rows;
        }
    }

    [Fact]
    public void Validate_Defaults_AreLegal() => Assert.Empty(RunSpecValidator.Validate(Legal));

    [Fact]
    public void Validate_EverythingSet_IsLegal() => Assert.Empty(RunSpecValidator.Validate(Legal with
    {
        Population = "factory-7",
        Seed = long.MinValue,
        Architecture = new() { Name = "mlp", Inputs = 64, Hidden = [32], Outputs = 10 },
        Selection = new() { Kind = "uniform", Clients = 10, OverSelection = 0.3 },
        Round = new() { Quorum = 10, Minimum = 10 },
        Aggregation = new() { Weighting = "uniform", MaxNorm = 100 },
        Optimizer = new() { Name = "fedyogi", LearningRate = 0.01 },
        Update = new() { Codec = "int8", BlockCoordinates = 1024 },
        Evaluation = new() { Clients = ["client-1", "client-2"], Patience = 3, TargetAccuracy = 1 },
    }));

    [Theory]
    [MemberData(nameof(IntegerLimits))]
    public void Validate_Integer_IsLegalAtItsLimitsAndNotBeyond(string field, Func<double, RunSpec> with, double least, double most)
    {
        AssertOnly(field, with(least - 1));
        AssertLegal(with(least));
        AssertLegal(with(least + 1));
        AssertLegal(with(most - 1));
        AssertLegal(with(most));
        AssertOnly(field, with(most + 1));
    }

    [Theory]
    [MemberData(nameof(ClosedRanges))]
    public void Validate_NumberOfAClosedRange_IsLegalAtItsLimitsAndNotBeyond(string field, Func<double, RunSpec> with, double least, double most)
    {
        AssertOnly(field, with(Math.BitDecrement(least)));
        AssertLegal(with(least));
        AssertLegal(with(Math.BitIncrement(least)));
        AssertLegal(with(Math.BitDecrement(most)));
        AssertLegal(with(most));
        AssertOnly(field, with(Math.BitIncrement(most)));
    }

    [Theory]
    [MemberData(nameof(AboveRanges))]
    public void Validate_NumberAboveABound_IsLegalJustAboveItAndNotAtIt(string field, Func<double, RunSpec> with, double bound, double most)
    {
        AssertOnly(field, with(Math.BitDecrement(bound)));
        AssertOnly(field, with(bound));
        AssertLegal(with(Math.BitIncrement(bound)));
        AssertLegal(with(most));
        AssertOnly(field, with(Math.BitIncrement(most)));
    }

    [Theory]
    [MemberData(nameof(BelowRanges))]
    public void Validate_NumberBelowABound_IsLegalJustBelowItAndNotAtIt(string field, Func<double, RunSpec> with, double least, double bound)
    {
        AssertOnly(field, with(Math.BitDecrement(least)));
        AssertLegal(with(least));
        AssertLegal(with(Math.BitDecrement(bound)));
        AssertOnly(field, with(bound));
        AssertOnly(field, with(Math.BitIncrement(bound)));
    }

    [Theory]
    [MemberData(nameof(Numbers))]
    public void Validate_NaNOrInfinity_IsRefused(string field, Func<double, RunSpec> with)
    {
        AssertOnly(field, with(double.NaN));
        AssertOnly(field, with(double.PositiveInfinity));
        AssertOnly(field, with(double.NegativeInfinity));
    }

    [Theory]
    [InlineData(512, false)]
    [InlineData(1023, false)]
    [InlineData(1024, true)]
    [InlineData(1025, false)]
    [InlineData(3072, false)]
    [InlineData(65_535, false)]
    [InlineData(65_536, true)]
    [InlineData(131_072, false)]
    [InlineData(0, false)]
    [InlineData(int.MinValue, false)]
    public void Validate_BlockCoordinates_ArePowersOfTwoInRange(int coordinates, bool legal)
    {
        var spec = Legal with { Update = new() { BlockCoordinates = coordinates } };
        if (legal)
        {
            AssertLegal(spec);
        }
        else
        {
            AssertOnly("update.blockCoordinates", spec);
        }
    }

    public static TheoryData<string> Codecs { get; } = [.. UpdateCodecs.All.Names];

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Validate_ParametersOfAnotherCodec_AreRefused(string codec)
    {
        var sparse = codec.StartsWith("top-k", StringComparison.Ordinal) || codec.StartsWith("random-k", StringComparison.Ordinal);
        var rounds = codec is "int8" or "int4" or "top-k-int8" or "random-k-int8";

        Check("update.keep", new() { Codec = codec, Keep = 0.1 }, sparse);
        Check("update.warmUpRounds", new() { Codec = codec, WarmUpRounds = 5 }, sparse);
        Check("update.rounding", new() { Codec = codec, Rounding = "stochastic" }, rounds);
        AssertOnly("update.maskSeed", Legal with { Update = new() { Codec = codec, MaskSeed = 1 } });

        static void Check(string field, UpdateSpec update, bool legal)
        {
            if (legal)
            {
                AssertLegal(Legal with { Update = update });
            }
            else
            {
                AssertOnly(field, Legal with { Update = update });
            }
        }
    }

    [Theory]
    [InlineData(true, "float32")]
    [InlineData(true, "float16", "int8", "float32", "delta")]
    [InlineData(true, "float16", "delta")]
    [InlineData(true, "int8")]
    [InlineData(false)]
    [InlineData(false, "delta")]
    [InlineData(false, "int8", "delta")]
    public void Validate_DownloadEncodings_LeadAnyDeviceToAModel(bool isLegal, params string[] encodings)
    {
        var spec = Legal with { Download = new DownloadSpec { Encodings = encodings } };
        if (isLegal)
        {
            Assert.Empty(RunSpecValidator.Validate(spec));
        }
        else
        {
            AssertOnly("download.encodings", spec);
        }
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(16, true)]
    [InlineData(17, false)]
    public void Validate_DeltaVersions_AreOneToSixteen(int versions, bool isLegal)
    {
        var spec = Legal with { Download = new DownloadSpec { DeltaVersions = versions } };
        if (isLegal)
        {
            Assert.Empty(RunSpecValidator.Validate(spec));
        }
        else
        {
            AssertOnly("download.deltaVersions", spec);
        }
    }

    [Theory]
    [InlineData("float32", false)]
    [InlineData("float16", true)]
    [InlineData("int8", true)]
    public void Validate_ErrorFeedback_BelongsToLossyCodecs(string codec, bool isLegal)
    {
        var spec = Legal with { Update = Legal.Update with { Codec = codec, ErrorFeedback = true } };
        if (isLegal)
        {
            Assert.Empty(RunSpecValidator.Validate(spec));
        }
        else
        {
            AssertOnly("update.errorFeedback", spec);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("Digits")]
    [InlineData("a--b")]
    [InlineData("../digits")]
    public void Validate_NameOutsideTheGrammar_IsRefused(string name)
    {
        AssertOnly("model", Legal with { Model = name });
        AssertOnly("population", Legal with { Population = name });
    }

    public static TheoryData<string, RunSpec, string> UnknownNames => new()
    {
        { "selection.kind", Legal with { Selection = new() { Kind = "random" } }, "all, poisson, uniform" },
        { "aggregation.rule", Legal with { Aggregation = new() { Rule = "mean" } }, "weighted-mean" },
        { "aggregation.weighting", Legal with { Aggregation = new() { Weighting = "Samples" } }, "samples, uniform" },
        { "optimizer.name", Legal with { Optimizer = new() { Name = "adam" } }, "fedadagrad, fedadam, fedavg, fedavgm, fedyogi" },
        { "update.codec", Legal with { Update = new() { Codec = "bfloat16" } }, "float32, float16, int8" },
        { "update.rounding", Legal with { Update = new() { Codec = "int4", Rounding = "up" } }, "nearest, stochastic" },
        { "architecture.name", Legal with { Architecture = new() { Name = "cnn", Inputs = 1, Hidden = [1], Outputs = 2 } }, "softmax" },
    };

    [Theory]
    [MemberData(nameof(UnknownNames))]
    public void Validate_NameOutsideAClosedSet_ListsWhatExists(string field, RunSpec spec, string listed) =>
        Assert.Contains(listed, AssertOnly(field, spec).Expected, StringComparison.Ordinal);

    public static TheoryData<string, RunSpec> CrossFieldRules => new()
    {
        { "selection.clients", Legal with { Selection = new() { Kind = "uniform" } } },
        { "selection.clients", Legal with { Selection = new() { Kind = "all", Clients = 5 } } },
        { "selection.clients", Legal with { Selection = new() { Kind = "poisson", Rate = 0.5, Clients = 5 } } },
        { "selection.rate", Legal with { Selection = new() { Kind = "poisson" } } },
        { "selection.rate", Legal with { Selection = new() { Kind = "all", Rate = 0.5 } } },
        { "selection.rate", Legal with { Selection = new() { Kind = "uniform", Clients = 5, Rate = 0.5 } } },
        { "selection.overSelection", Legal with { Selection = new() { Kind = "all", OverSelection = 0.1 } } },
        { "selection.overSelection", Legal with { Selection = new() { Kind = "poisson", Rate = 1, OverSelection = 0.1 } } },
        { "round.quorum", Uniform with { Round = new() { Quorum = 11 } } },
        { "round.minimum", Uniform with { Round = new() { Minimum = 11 } } },
        { "round.minimum", Legal with { Round = new() { Quorum = 3, Minimum = 4 } } },
        { "architecture.hidden", Legal with { Architecture = new() { Name = "softmax", Inputs = 4, Hidden = [3], Outputs = 2 } } },
        { "architecture.hidden", Legal with { Architecture = new() { Name = "mlp", Inputs = 4, Outputs = 2 } } },
        { "evaluation.clients[1]", Legal with { Evaluation = new() { Clients = ["a", "a"] } } },
        { "evaluation.clients[1]", Legal with { Evaluation = new() { Clients = ["a", "B"] } } },
    };

    [Theory]
    [MemberData(nameof(CrossFieldRules))]
    public void Validate_FieldsThatContradictEachOther_AreRefused(string field, RunSpec spec) => AssertOnly(field, spec);

    [Fact]
    public void Validate_QuorumAndMinimumAtTheCohort_AreLegal() =>
        AssertLegal(Uniform with { Round = new() { Quorum = 10, Minimum = 10 } });

    [Fact]
    public void Validate_ParametersAtAndAboveTheLimit_AreLegalAndNot()
    {
        // (inputs + 1) * outputs parameters: exactly 2^30, then one class more.
        Assert.Equal(1L << 30, TensorLayout.MaxFloats);
        AssertLegal(Legal with { Architecture = new() { Name = "softmax", Inputs = (1 << 15) - 1, Outputs = 1 << 15 } });
        AssertOnly("architecture", Legal with { Architecture = new() { Name = "softmax", Inputs = (1 << 15) - 1, Outputs = (1 << 15) + 1 } });
    }

    [Fact]
    public void Validate_EvaluatorsAtAndAboveTheLimit_AreLegalAndNot()
    {
        string[] clients = [.. Enumerable.Range(0, RunLimits.MaxEvaluators + 1).Select(i => $"client-{i}")];

        AssertLegal(Legal with { Evaluation = new() { Clients = clients[1..] } });
        AssertOnly("evaluation.clients", Legal with { Evaluation = new() { Clients = clients } });
    }

    [Fact]
    public void Validate_ManyThingsWrong_ListsThemAllAtOnce()
    {
        var problems = RunSpecValidator.Validate(Legal with
        {
            Model = "",
            Rounds = 0,
            Architecture = new() { Name = "mlp", Inputs = 0, Hidden = [0], Outputs = 1 },
            Selection = new() { Kind = "uniform", Clients = 0, OverSelection = 3 },
            Round = new() { DeadlineSeconds = 0, Quorum = 5, Minimum = 6 },
            Training = new() { Epochs = 0, LearningRate = double.NaN },
            Aggregation = new() { Rule = "?", MaxNorm = -1 },
            Optimizer = new() { Name = "?", Beta1 = 1 },
            Update = new() { Codec = "?", PartBytes = 0 },
            Evaluation = new() { EveryRounds = 0 },
        });

        Assert.Equal(
            [
                "model", "rounds", "architecture.inputs", "architecture.outputs", "architecture.hidden[0]", "selection.clients", "selection.overSelection",
                "round.deadlineSeconds", "round.minimum", "training.epochs", "training.learningRate", "aggregation.rule",
                "aggregation.maxNorm", "optimizer.name", "optimizer.beta1", "update.codec", "update.partBytes", "evaluation.everyRounds",
            ],
            problems.Select(problem => problem.Field));
    }

    [Fact]
    public void Validate_Problem_NamesFieldValueAndWhatWouldBeRight() => Assert.Equal(
        "training.epochs is '0'; expected an integer from 1 to 1000.",
        AssertOnly("training.epochs", Legal with { Training = new() { Epochs = 0 } }).ToString());

    [Fact]
    public void Validate_InsideADocument_PrefixesEveryField() => Assert.Equal(
        ["spec.rounds", "spec.architecture.outputs"],
        RunSpecValidator.Validate(
            Legal with { Rounds = 0, Architecture = new() { Name = "softmax", Inputs = 1, Outputs = 1 } }, "spec").Select(problem => problem.Field));

    [Fact]
    public void Validate_HostileValue_IsShortened()
    {
        var problem = AssertOnly("model", Legal with { Model = new string('x', 10_000) });

        Assert.Equal(64, problem.Value!.Length);
    }

    private static void AssertLegal(RunSpec spec) => Assert.Empty(RunSpecValidator.Validate(spec));

    private static Problem AssertOnly(string field, RunSpec spec)
    {
        var problem = Assert.Single(RunSpecValidator.Validate(spec));
        Assert.Equal(field, problem.Field);
        return problem;
    }
}
