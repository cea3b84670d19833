using System.Text;
using FedServerless.Wire;

namespace FedServerless.Core.Tests.Specs;

public sealed class SolverSpecTests
{
    private static readonly RunSpec Scaffold = new()
    {
        Model = "digits", Rounds = 10, Training = new() { Solver = "scaffold" }, Aggregation = new() { Weighting = "uniform" },
    };

    private static readonly RunSpec FedDyn = Scaffold with { Training = new() { Solver = "feddyn", ProximalMu = 0.1 } };

    private static readonly RunSpec FedNova = new() { Model = "digits", Rounds = 10, Training = new() { Solver = "fednova" } };

    public static TheoryData<RunSpec> Legal =>
    [
        Scaffold,
        FedDyn,
        FedNova,
        Scaffold with { Training = Scaffold.Training with { WeightDecay = 0.01 }, Optimizer = new() { Name = "fedavgm" } },
        Scaffold with { Update = new() { Codec = "int8" } },
        FedNova with { Training = FedNova.Training with { Momentum = 0.9 } },
        FedNova with { Training = FedNova.Training with { LearningRate = 0.5, ProximalMu = 2 } },
        FedNova with { Training = FedNova.Training with { ProximalMu = 1 } },
    ];

    // PITFALLS 45: what would make the memories something else than the papers', each with the reason.
    public static TheoryData<string, RunSpec> Illegal => new()
    {
        { "training.solver", Scaffold with { Training = new() { Solver = "adam" } } },
        { "training.momentum", Scaffold with { Training = Scaffold.Training with { Momentum = 0.5 } } },
        { "training.proximalMu", Scaffold with { Training = Scaffold.Training with { ProximalMu = 0.1 } } },
        { "aggregation.weighting", Scaffold with { Aggregation = new() } },
        { "aggregation.rule", Scaffold with { Aggregation = new() { Rule = "median", Weighting = "uniform" } } },
        { "update.errorFeedback", Scaffold with { Update = new() { Codec = "int8", ErrorFeedback = true } } },
        { "download.encodings", Scaffold with { Download = new() { Encodings = ["float16"] } } },
        { "training.momentum", FedDyn with { Training = FedDyn.Training with { Momentum = 0.5 } } },
        { "training.proximalMu", FedDyn with { Training = FedDyn.Training with { ProximalMu = 0 } } },
        { "optimizer.name", FedDyn with { Optimizer = new() { Name = "fedadam" } } },
        { "optimizer.name", FedDyn with { Optimizer = new() { LearningRate = 0.5 } } },
        { "aggregation.weighting", FedDyn with { Aggregation = new() } },
        { "training.proximalMu", FedNova with { Training = FedNova.Training with { Momentum = 0.5, ProximalMu = 0.1 } } },
        { "training.proximalMu", FedNova with { Training = FedNova.Training with { LearningRate = 0.5, ProximalMu = 2.01 } } },
        { "aggregation.rule", FedNova with { Aggregation = new() { Rule = "krum", Byzantine = 1 } } },
    };

    [Theory]
    [MemberData(nameof(Legal))]
    public void Validate_WhatTheSolverAllows_FindsNothing(RunSpec spec) => Assert.Empty(RunSpecValidator.Validate(spec));

    [Theory]
    [MemberData(nameof(Illegal))]
    public void Validate_WhatTheSolverForbids_NamesTheField(string field, RunSpec spec) =>
        Assert.Equal(field, Assert.Single(RunSpecValidator.Validate(spec)).Field);

    [Theory]
    [InlineData("scaffold")]
    [InlineData("feddyn")]
    [InlineData("fednova")]
    public void Validate_WithPrivacy_IsRefused(string solver)
    {
        var spec = Scaffold with { Training = new() { Solver = solver, ProximalMu = solver == "feddyn" ? 0.1 : 0 }, Privacy = new() { Clients = 1000, Level = "balanced" } };
        Assert.Contains(RunSpecValidator.Validate(spec), problem => problem.Field == "privacy" && problem.Expected.Contains(solver, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{}", "sgd", "samples")]
    [InlineData("""{"solver":"scaffold"}""", "scaffold", "uniform")]
    [InlineData("""{"solver":"feddyn","proximalMu":0.1}""", "feddyn", "uniform")]
    [InlineData("""{"solver":"fednova"}""", "fednova", "samples")]
    public void TryParse_SolverAlone_GetsTheWeightingItNeeds(string training, string solver, string weighting)
    {
        Assert.True(RunSpecJson.TryParse(Encoding.UTF8.GetBytes($$"""{"model":"digits","rounds":1,"training":{{training}}}"""), out var spec, out _));
        Assert.Equal((solver, weighting), (spec.Training.Solver, spec.Aggregation.Weighting));
    }
}
