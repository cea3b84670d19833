using FedServerless.Client.Training;
using FedServerless.Model;

namespace FedServerless.Client.Tests.Training.Modules;

/// <summary>What a framework's adapter decides without the framework. Pitfall 50: statistics are buffers, counts are integers.</summary>
public sealed class ModuleLayoutTests
{
    private static readonly ModuleTensor[] Net =
    [
        Trained("fc.weight", 3, 2), Trained("fc.bias", 3), Trained("norm.weight", 3),
        Buffer("norm.running_mean", ModuleTensor.Float32, 3), Buffer("norm.num_batches_tracked", ModuleTensor.Int64),
    ];

    // PITFALLS 50: running statistics are buffers, their count an integer.
    [Theory]
    [InlineData(ModuleTensorKind.Trained, "Float32", TensorRole.Parameter)]
    [InlineData(ModuleTensorKind.Frozen, "Float32", TensorRole.Buffer)]
    [InlineData(ModuleTensorKind.Buffer, "Float32", TensorRole.Buffer)]
    [InlineData(ModuleTensorKind.Frozen, "Int64", TensorRole.Integer)]
    [InlineData(ModuleTensorKind.Buffer, "Int64", TensorRole.Integer)]
    [InlineData(ModuleTensorKind.Trained, "Int64", null)]
    [InlineData(ModuleTensorKind.Trained, "Float64", null)]
    [InlineData(ModuleTensorKind.Buffer, "Bool", null)]
    [InlineData(ModuleTensorKind.Frozen, "BFloat16", null)]
    public void Role_KindAndType_DecideIt(ModuleTensorKind kind, string type, TensorRole? expected) =>
        Assert.Equal(expected, new ModuleTensor("x", [1], kind, type).Role);

    [Fact]
    public void Create_Module_IsInCanonicalOrderUnderTheFederationsNames()
    {
        var layout = ModuleLayout.Create([Net[4], Net[3], Net[0], Net[1]], TensorNames.Same.Map("fc", "dense").Keep("norm.running_mean"));

        Assert.Equal(["dense.weight", "dense.bias", "norm.num_batches_tracked"], layout.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([3, 2], layout.Tensors[0].Shape);
        Assert.Equal((9L, 0L, 1L), (layout.ParameterCount, layout.BufferCount, layout.IntegerCount));
    }

    [Fact]
    public void Create_EverythingWrong_IsListedAtOnce()
    {
        ModuleTensor[] wrong =
        [
            Trained("a.x", 2), Trained("b.x", 2), Trained("c", 0), Trained("d", (long)int.MaxValue + 1),
            Buffer("mask", "Bool", 2), new("double", [2], ModuleTensorKind.Trained, "Float64"),
        ];

        var refusal = Assert.Throws<ArgumentException>(
            () => ModuleLayout.Create(wrong, TensorNames.Same.Map("a", "n").Map("b", "n").Map("gone", "elsewhere")));

        Assert.Equal(
            "The module and the federation's model do not go together: a rule for names speaks of 'gone', but the module has no such tensor; "
            + "'a.x' and 'b.x' would both be named 'n.x'; 'c' is [0]; expected dimensions of 1 or more; "
            + "'d' is [2147483648]; expected dimensions of 1 or more; 'mask' holds Bool; expected Float32 or Int64; "
            + "'double' holds Float64; expected Float32. (Parameter 'tensors')",
            refusal.Message);
    }

    [Fact]
    public void Create_TensorOfNoUseThatIsKept_IsNoProblem() =>
        Assert.Single(ModuleLayout.Create([Net[1], Buffer("mask", "Bool", 2)], TensorNames.Same.Keep("mask")).Tensors);

    [Fact]
    public void Match_AnyOrderOnEitherSide_IsByName()
    {
        var layout = ModuleLayout.Create(Net);

        Assert.Equal([0, 1, 2, 3, 4], ModuleLayout.Match(layout, Net));
        Assert.Equal([4, 3, 2, 1, 0], ModuleLayout.Match(layout, [.. Net.Reverse()]));
    }

    [Fact]
    public void Match_Differences_AreListedWithBothNames()
    {
        var layout = ModuleLayout.Create(Net);
        ModuleTensor[] other =
        [
            Trained("dense.weight", 2, 3), Net[2], new("norm.running_mean", [3], ModuleTensorKind.Trained, ModuleTensor.Float32), Net[4], Trained("more", 1),
        ];

        var refusal = Assert.Throws<ArgumentException>(() => ModuleLayout.Match(layout, other, TensorNames.Same.Map("dense", "fc")));

        Assert.Equal(
            "The module and the federation's model do not go together: 'fc.weight' is [3, 2] in the model and [2, 3] in the module ('dense.weight'); "
            + "the module has no 'fc.bias' [3]; 'norm.running_mean' is a buffer of the model, but a parameter of the module; "
            + "the model has no 'more' [1]. (Parameter 'layout')",
            refusal.Message);
    }

    [Fact]
    public void Match_FrozenOrBufferThatTheModelWouldTrain_SaysWhatToDo()
    {
        var layout = ModuleLayout.Create([Trained("fc.bias", 3)]);
        ModuleTensor[] frozen = [new("fc.bias", [3], ModuleTensorKind.Frozen, ModuleTensor.Float32)];

        var refusal = Assert.Throws<ArgumentException>(() => ModuleLayout.Match(layout, frozen));

        Assert.Contains("'fc.bias' is a parameter of the model, but a parameter without a gradient of the module; let it take a gradient", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Match_OnlyNamesDiffer_ProposesTheMap()
    {
        var layout = ModuleLayout.Create(Net);
        ModuleTensor[] renamed = [.. Net.Select(tensor => tensor with { Name = "_seq." + tensor.Name })];

        var refusal = Assert.Throws<ArgumentException>(() => ModuleLayout.Match(layout, renamed));

        Assert.Contains("map them with TensorNames.Map, '_seq.fc.weight' to 'fc.weight' for the first.", refusal.Message, StringComparison.Ordinal);
        Assert.Equal([0, 1, 2, 3, 4], ModuleLayout.Match(layout, renamed, TensorNames.Same.Map("_seq", "")));
    }

    [Theory]
    [InlineData(ModuleLayout.MaxProblems - 1, "")]
    [InlineData(ModuleLayout.MaxProblems, "")]
    [InlineData(ModuleLayout.MaxProblems + 1, "; and 1 more")]
    public void Create_ManyProblems_NamesSoManyAndCountsTheRest(int wrong, string more)
    {
        var tensors = Enumerable.Range(0, wrong).Select(i => Buffer($"mask{i}", "Bool", 1)).ToArray();

        var refusal = Assert.Throws<ArgumentException>(() => ModuleLayout.Create(tensors));

        Assert.Contains($"'mask{Math.Min(wrong, ModuleLayout.MaxProblems) - 1}' holds Bool; expected Float32 or Int64{more}.", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain($"'mask{ModuleLayout.MaxProblems}'", refusal.Message, StringComparison.Ordinal);
    }

    private static ModuleTensor Trained(string name, params long[] shape) => new(name, shape, ModuleTensorKind.Trained, ModuleTensor.Float32);

    private static ModuleTensor Buffer(string name, string type, params long[] shape) => new(name, shape, ModuleTensorKind.Buffer, type);
}
