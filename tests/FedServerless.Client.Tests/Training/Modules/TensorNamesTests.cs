using FedServerless.Client.Training;

namespace FedServerless.Client.Tests.Training.Modules;

public sealed class TensorNamesTests
{
    [Theory]
    [InlineData("encoder", "body")]
    [InlineData("encoder.fc1.weight", "body.fc1.weight")]
    [InlineData("encoder2.weight", "encoder2.weight")]
    [InlineData("encoder.norm.weight", "n.weight")]
    [InlineData("encoder.norm", "n")]
    [InlineData("last.weight", "out")]
    [InlineData("last.bias", "last.bias")]
    [InlineData("outer.encoder.weight", "outer.encoder.weight")]
    public void TryMap_LongestRuleUpToADot_IsAppliedOnce(string name, string expected)
    {
        var names = TensorNames.Same.Map("encoder", "body").Map("encoder.norm", "n").Map("last.weight", "out").Map("body", "never");

        Assert.True(names.TryMap(name, out var federated));
        Assert.Equal(expected, federated);
    }

    [Theory]
    [InlineData("_seq", "", "_seq.fc1.weight", "fc1.weight")]
    [InlineData("", "model", "fc1.weight", "model.fc1.weight")]
    [InlineData("", "", "fc1.weight", "fc1.weight")]
    public void TryMap_EmptyParts_AreTakenAwayOrPutInFront(string from, string to, string name, string expected)
    {
        Assert.True(TensorNames.Same.Map(from, to).TryMap(name, out var federated));
        Assert.Equal(expected, federated);
    }

    [Fact]
    public void TryMap_Kept_HasNoName()
    {
        var names = TensorNames.Same.Keep("head").Map("head.shared", "shared");

        Assert.False(names.TryMap("head.weight", out _));
        Assert.True(names.TryMap("head.shared.weight", out var shared));
        Assert.Equal("shared.weight", shared);
    }

    [Fact]
    public void Map_AnotherRule_LeavesTheFirstMapAlone()
    {
        var first = TensorNames.Same.Map("a", "b");
        first.Map("c", "d");

        Assert.True(first.TryMap("c", out var name));
        Assert.Equal("c", name);
    }

    [Fact]
    public void Map_SecondRuleForTheSame_IsRefused()
    {
        var refusal = Assert.Throws<ArgumentException>(() => TensorNames.Same.Map("a", "b").Keep("a"));

        Assert.Contains("two rules for 'a'", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Keep_Everything_IsRefused() => Assert.Throws<ArgumentException>(() => TensorNames.Same.Keep(""));
}
