using System.Text;
using System.Text.Json;
using FedServerless.Wire;

namespace FedServerless.Core.Tests.Specs;

public class RunSpecJsonTests
{
    [Fact]
    public void TryParse_SmallestSpec_HasTheDefaults()
    {
        Assert.True(Parse("""{"model":"digits","rounds":3}""", out var spec, out var problems));

        Assert.Empty(problems);
        Assert.Equal(new RunSpec { Model = "digits", Rounds = 3 }, spec);
    }

    [Fact]
    public void TryParse_WhatWasSerialised_ComesBack()
    {
        var spec = new RunSpec
        {
            Model = "digits",
            Rounds = 3,
            Seed = long.MaxValue,
            Architecture = new() { Name = "mlp", Inputs = 64, Hidden = [32, 16], Outputs = 10 },
            Selection = new() { Kind = "poisson", Rate = 0.25 },
            Evaluation = new() { Clients = ["a", "b"], TargetAccuracy = 0.9 },
            RetainUpdates = true,
        };
        var json = JsonSerializer.SerializeToUtf8Bytes(spec, WireJson.Default.RunSpec);

        Assert.True(RunSpecJson.TryParse(json, out var parsed, out _));

        Assert.Equal(json, JsonSerializer.SerializeToUtf8Bytes(parsed, WireJson.Default.RunSpec));
    }

    [Fact]
    public void TryParse_Convolutions_KeepTheirDefaultsAndComeBack()
    {
        const string json = """
            {"model":"m","rounds":1,
             "architecture":{"name":"conv","inputs":64,"image":{"height":8,"width":8},"convolutions":[{"channels":8},{"channels":16,"kernel":3}],"outputs":10}}
            """;

        Assert.True(Parse(json, out var spec, out _));

        Assert.Equal(new ImageSpec { Height = 8, Width = 8, Channels = 1 }, spec!.Architecture!.Image);
        Assert.Equal([new ConvolutionSpec { Channels = 8, Kernel = 5 }, new ConvolutionSpec { Channels = 16, Kernel = 3 }], spec.Architecture.Convolutions);
        var again = JsonSerializer.SerializeToUtf8Bytes(spec, WireJson.Default.RunSpec);
        Assert.True(RunSpecJson.TryParse(again, out var parsed, out _));
        Assert.Equal(again, JsonSerializer.SerializeToUtf8Bytes(parsed, WireJson.Default.RunSpec));
    }

    // Source-generated deserialisation alone would leave every field of these objects at zero or null.
    [Fact]
    public void TryParse_ObjectsWithOneFieldEach_KeepTheirOtherDefaults()
    {
        const string json = """
            {"model":"m","rounds":1,"selection":{"overSelection":0},"round":{"minimum":2},"training":{"epochs":5},"aggregation":{"maxSamples":9},
             "optimizer":{"beta1":0.5},"update":{"codec":"int8"},"evaluation":{"everyRounds":2},
             "architecture":{"name":"softmax","inputs":3,"outputs":2}}
            """;

        Assert.True(Parse(json, out var spec, out _));

        Assert.Equal(new SelectionSpec(), spec!.Selection);
        Assert.Equal(new RoundSpec { Minimum = 2 }, spec.Round);
        Assert.Equal(new TrainingSpec { Epochs = 5 }, spec.Training);
        Assert.Equal(new AggregationSpec { MaxSamples = 9 }, spec.Aggregation);
        Assert.Equal(new OptimizerSpec { Beta1 = 0.5 }, spec.Optimizer);
        Assert.Equal(new UpdateSpec { Codec = "int8" }, spec.Update);
        Assert.Empty(spec.Architecture!.Hidden);
        Assert.Empty(spec.Architecture.Convolutions);
        Assert.Empty(spec.Evaluation!.Clients);
        Assert.Equal(120, spec.Evaluation.DeadlineSeconds);
        Assert.Equal("default", spec.Population);
    }

    [Theory]
    [InlineData("""{"model":"m","rounds":1,"trainning":{}}""", "trainning")]
    [InlineData("""{"model":"m","rounds":1,"training":{"learnRate":1}}""", "training.learnRate")]
    [InlineData("""{"model":"m","rounds":1,"training":{"LearningRate":1}}""", "training.LearningRate")]
    [InlineData("""{"model":"m","rounds":1,"evaluation":{"clients":[],"extra":{"deep":[1]}}}""", "evaluation.extra")]
    public void TryParse_UnknownField_IsNamed(string json, string field) => Assert.Equal([field], Fields(json));

    [Fact]
    public void TryParse_UnknownField_ListsTheFieldsThereAre()
    {
        Parse("""{"model":"m","rounds":1,"selection":{"count":1}}""", out _, out var problems);

        Assert.Contains("kind, clients, rate, overSelection", Assert.Single(problems).Expected, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"model":7,"rounds":1}""", "model")]
    [InlineData("""{"model":"m","rounds":"ten"}""", "rounds")]
    [InlineData("""{"model":"m","rounds":1.5}""", "rounds")]
    [InlineData("""{"model":"m","rounds":2147483648}""", "rounds")]
    [InlineData("""{"model":"m","rounds":1,"seed":9223372036854775808}""", "seed")]
    [InlineData("""{"model":"m","rounds":1,"retainUpdates":"true"}""", "retainUpdates")]
    [InlineData("""{"model":"m","rounds":1,"training":[]}""", "training")]
    [InlineData("""{"model":"m","rounds":1,"training":null}""", "training")]
    [InlineData("""{"model":"m","rounds":1,"training":{"learningRate":"NaN"}}""", "training.learningRate")]
    [InlineData("""{"model":"m","rounds":1,"training":{"learningRate":1e999}}""", "training.learningRate")]
    [InlineData("""{"model":"m","rounds":1,"selection":{"kind":null}}""", "selection.kind")]
    [InlineData("""{"model":"m","rounds":1,"round":{"quorum":"all"}}""", "round.quorum")]
    [InlineData("""{"model":"m","rounds":1,"architecture":{"name":"mlp","inputs":1,"hidden":8,"outputs":2}}""", "architecture.hidden")]
    [InlineData("""{"model":"m","rounds":1,"architecture":{"name":"mlp","inputs":1,"hidden":[8,"8"],"outputs":2}}""", "architecture.hidden[1]")]
    [InlineData("""{"model":"m","rounds":1,"evaluation":{"clients":["a",null]}}""", "evaluation.clients[1]")]
    [InlineData("""{"model":"m","rounds":1,"architecture":{"name":"conv","inputs":4,"image":{"height":2,"width":2},"outputs":2,"convolutions":{"channels":1}}}""", "architecture.convolutions")]
    [InlineData("""{"model":"m","rounds":1,"architecture":{"name":"conv","inputs":4,"image":{"height":2,"width":2},"outputs":2,"convolutions":[{"channels":1},7]}}""", "architecture.convolutions[1]")]
    [InlineData("""{"model":"m","rounds":1,"architecture":{"name":"conv","inputs":4,"image":{"height":2,"width":2},"outputs":2,"convolutions":[{"channels":1},null]}}""", "architecture.convolutions[1]")]
    [InlineData("""{"model":"m","rounds":1,"architecture":{"name":"conv","inputs":4,"image":{"height":2,"width":2},"outputs":2,"convolutions":[{"channels":"1"}]}}""", "architecture.convolutions[0].channels")]
    [InlineData("""{"model":"m","rounds":1,"architecture":{"name":"conv","inputs":4,"image":[2,2],"outputs":2,"convolutions":[{"channels":1}]}}""", "architecture.image")]
    public void TryParse_WrongType_IsNamed(string json, string field) => Assert.Equal([field], Fields(json));

    [Theory]
    [InlineData("""{"rounds":1}""", "model")]
    [InlineData("""{"model":"m"}""", "rounds")]
    [InlineData("""{}""", "model", "rounds")]
    [InlineData(
        """{"model":"m","rounds":1,"architecture":{"name":"conv","inputs":4,"outputs":2,"image":{},"convolutions":[{"kernel":3}]}}""",
        "architecture.image.height", "architecture.image.width", "architecture.convolutions[0].channels")]
    [InlineData("""{"model":"m","rounds":1,"architecture":{}}""", "architecture.name", "architecture.inputs", "architecture.outputs")]
    public void TryParse_MissingField_IsNamed(string json, params string[] fields) => Assert.Equal(fields, Fields(json));

    [Fact]
    public void TryParse_RepeatedField_IsNamed() => Assert.Equal(["rounds"], Fields("""{"model":"m","rounds":1,"rounds":2}"""));

    [Theory]
    [InlineData("""{"model":"m","rounds":1,"architecture":null,"evaluation":null,"round":{"quorum":null}}""")]
    [InlineData(""" { "model" : "m", "rounds" : 1 } """)]
    public void TryParse_NullWhereNullIsLegal_IsLegal(string json) => Assert.Empty(Fields(json));

    [Fact]
    public void TryParse_WrongFormAndWrongValues_AreListedTogether() => Assert.Equal(
        ["training.epoch", "round.quorum", "optimizer.name", "update.partBytes"],
        Fields("""
            {"model":"m","rounds":1,"training":{"epoch":0,"epochs":0},"round":{"quorum":"3","minimum":0},
             "optimizer":{"name":"adam"},"update":{"partBytes":1}}
            """));

    [Fact]
    public void TryParse_FormIsWrongInAnObject_DoesNotBlameItsOtherFields() =>
        Assert.Equal(["selection.kinds"], Fields("""{"model":"m","rounds":1,"selection":{"kinds":"uniform","clients":10}}"""));

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("""{"model":"m","rounds":1} trailing""")]
    [InlineData("""{"model":"m","rounds":1,}""")]
    [InlineData("""{"model":"m","rounds":NaN}""")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("7")]
    [InlineData("""{"model":"\uD800","rounds":1}""")]
    [InlineData("""{"\uD800":"m","rounds":1}""")]
    [InlineData("""{"a":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}""")]
    public void TryParse_NotOneObjectOfUnicodeText_IsOneProblemOfTheDocument(string json) => Assert.Equal(["$"], Fields(json));

    [Fact]
    public void TryParse_InvalidUtf8_IsAProblemOfItsField()
    {
        byte[] json = [.. """{"rounds":1,"model":"""u8, (byte)'"', 0xC3, 0x28, (byte)'"', (byte)'}'];

        Assert.False(RunSpecJson.TryParse(json, out _, out var problems));
        Assert.Equal("model", Assert.Single(problems).Field);
    }

    [Fact]
    public void TryParse_LengthAtAndAboveTheLimit_IsLegalAndNot()
    {
        var json = """{"model":"m","rounds":1}""";

        Assert.Empty(Fields(json.PadRight(RunLimits.MaxSpecBytes - 1)));
        Assert.Empty(Fields(json.PadRight(RunLimits.MaxSpecBytes)));
        Assert.Equal(["$"], Fields(json.PadRight(RunLimits.MaxSpecBytes + 1)));
    }

    [Fact]
    public void TryParse_AMillionProblems_ListsAHundred()
    {
        var clients = string.Join(',', Enumerable.Repeat("1", 500_000));

        Assert.Equal(100, Fields("""{"model":"m","rounds":1,"evaluation":{"clients":[""" + clients + "]}}").Count);
    }

    [Fact]
    public void TryParse_AnyCutOrFlippedByte_NeverThrows()
    {
        var legal = JsonSerializer.SerializeToUtf8Bytes(
            new RunSpec { Model = "digits", Rounds = 3, Architecture = new() { Name = "mlp", Inputs = 64, Hidden = [32], Outputs = 10 } },
            WireJson.Default.RunSpec);
        var random = new Random(8);
        for (var attempt = 0; attempt < 4000; attempt++)
        {
            var json = legal.AsSpan(0, attempt % 3 == 0 ? random.Next(legal.Length) : legal.Length).ToArray();
            for (var flips = random.Next(4); flips > 0 && json.Length > 0; flips--)
            {
                json[random.Next(json.Length)] = (byte)random.Next(256);
            }

            Assert.Equal(RunSpecJson.TryParse(json, out var spec, out var problems), problems.Count == 0);
            Assert.Equal(spec is null, problems.Count > 0);
        }
    }

    [Fact]
    public void TryParseRequest_LegalBody_IsRead()
    {
        Assert.True(RunSpecJson.TryParseRequest("""{"id":"run-1","dryRun":true,"spec":{"model":"m","rounds":1}}"""u8, out var request, out _));

        Assert.Equal(new CreateRunRequest("run-1", new RunSpec { Model = "m", Rounds = 1 }, DryRun: true), request);
    }

    [Theory]
    [InlineData("""{"id":"run-1"}""", "spec")]
    [InlineData("""{"spec":{"model":"m","rounds":1}}""", "id")]
    [InlineData("""{"id":"Run 1","spec":{"model":"m","rounds":0}}""", "id", "spec.rounds")]
    [InlineData("""{"id":"run-1","spec":{"model":"m","rounds":1,"round":{"min":1}}}""", "spec.round.min")]
    [InlineData("""{"id":"run-1","dry":true,"spec":{"model":"m","rounds":0}}""", "dry", "spec.rounds")]
    [InlineData("""{"id":null,"spec":null}""", "id", "spec")]
    public void TryParseRequest_WrongBody_NamesEveryField(string json, params string[] fields)
    {
        Assert.False(RunSpecJson.TryParseRequest(Encoding.UTF8.GetBytes(json), out _, out var problems));

        Assert.Equal(fields, problems.Select(problem => problem.Field));
    }

    private static bool Parse(string json, out RunSpec? spec, out IReadOnlyList<Problem> problems) =>
        RunSpecJson.TryParse(Encoding.UTF8.GetBytes(json), out spec, out problems);

    private static IReadOnlyList<string> Fields(string json)
    {
        Assert.Equal(Parse(json, out _, out var problems), problems.Count == 0);
        return [.. problems.Select(problem => problem.Field)];
    }
}
