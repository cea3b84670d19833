using FedServerless.Model;

namespace FedServerless.Core.Tests.Model;

public sealed class TensorLayoutTests
{
    [Fact]
    public void Create_MixedRoles_SortsByRoleAndKeepsTheOrderWithin()
    {
        var layout = TensorLayout.Create(
        [
            new("n", [], TensorRole.Integer),
            new("b", [3], TensorRole.Buffer),
            new("w2", [2, 2], TensorRole.Parameter),
            new("w1", [5], TensorRole.Parameter),
        ]);

        Assert.Equal(["w2", "w1", "b", "n"], layout.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([0L, 4, 9, 0], layout.Offsets);
        Assert.Equal((9L, 3L, 1L, 12L), (layout.ParameterCount, layout.BufferCount, layout.IntegerCount, layout.FloatCount));
    }

    [Theory]
    [InlineData(TensorRole.Parameter, 1 << 30, true)]
    [InlineData(TensorRole.Buffer, (1 << 30) + 1, false)]
    [InlineData(TensorRole.Integer, 65_536, true)]
    [InlineData(TensorRole.Integer, 65_537, false)]
    public void TryCreate_ValuesAroundTheirLimit_AreRefusedAbove(TensorRole role, int count, bool legal) =>
        Assert.Equal(legal, TensorLayout.TryCreate([new("t", [count], role)], out _, out _));

    [Fact]
    public void TryCreate_ValuesTogetherAboveTheirLimit_AreRefused() =>
        Assert.False(TensorLayout.TryCreate([new("a", [1 << 30], TensorRole.Parameter), new("b", [1], TensorRole.Buffer)], out _, out _));

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(TensorLayout.MaxTensors, true)]
    [InlineData(TensorLayout.MaxTensors + 1, false)]
    public void TryCreate_TensorsAroundTheirLimits_AreRefusedOutside(int count, bool legal)
    {
        var tensors = Enumerable.Range(0, count).Select(tensor => new TensorSpec($"{tensor}", [1], TensorRole.Parameter));

        Assert.Equal(legal, TensorLayout.TryCreate(tensors, out _, out _));
    }

    [Theory]
    [InlineData(TensorLayout.MaxRank, true)]
    [InlineData(TensorLayout.MaxRank + 1, false)]
    public void TryCreate_RankAroundItsLimit_IsRefusedAbove(int rank, bool legal) =>
        Assert.Equal(legal, TensorLayout.TryCreate([new("t", new int[rank].Select(_ => 1).ToArray(), TensorRole.Buffer)], out _, out _));

    [Theory]
    [InlineData(0, false)]
    [InlineData(TensorLayout.MaxNameLength, true)]
    [InlineData(TensorLayout.MaxNameLength + 1, false)]
    public void TryCreate_NameAroundItsLimits_IsRefusedOutside(int length, bool legal) =>
        Assert.Equal(legal, TensorLayout.TryCreate([new(new string('n', length), [1], TensorRole.Buffer)], out _, out _));

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    public void Create_IllegalDimension_NamesTheTensor(int dimension)
    {
        var refused = Assert.Throws<ArgumentException>(() => TensorLayout.Create([new("w", [2, dimension], TensorRole.Parameter)]));

        Assert.Contains($"Tensor 'w' has shape [2, {dimension}]", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TryCreate_RepeatedNameOrUnknownRole_IsRefused()
    {
        Assert.False(TensorLayout.TryCreate([new("w", [1], TensorRole.Parameter), new("w", [1], TensorRole.Buffer)], out _, out _));
        Assert.False(TensorLayout.TryCreate([new("w", [1], (TensorRole)3)], out _, out _));
    }

    [Fact]
    public void Digest_AnyPartOfTheLayout_ChangesIt()
    {
        TensorSpec[] variants =
        [
            new("w", [2, 3], TensorRole.Parameter),
            new("v", [2, 3], TensorRole.Parameter),
            new("w", [3, 2], TensorRole.Parameter),
            new("w", [6], TensorRole.Parameter),
            new("w", [2, 3], TensorRole.Buffer),
            new("w", [2, 3], TensorRole.Integer),
        ];

        Assert.Equal(variants.Length, variants.Select(tensor => TensorLayout.Create([tensor]).Digest).Distinct().Count());
    }
}
