using FedServerless.Wire;

namespace FedServerless.Core.Tests.Wire;

public class IdentifiersTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("7")]
    [InlineData("client-01")]
    [InlineData("a-b-c-9")]
    public void IsValid_NameOfTheGrammar_IsTrue(string name) => Assert.True(Identifiers.IsValid(name));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("-a")]
    [InlineData("a-")]
    [InlineData("a--b")]
    [InlineData("A")]
    [InlineData("a_b")]
    [InlineData("a.b")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("a b")]
    [InlineData("a\n")]
    [InlineData("\na")]
    [InlineData("a\0")]
    [InlineData("é")]
    [InlineData("١")]
    public void IsValid_AnythingElse_IsFalse(string? name) => Assert.False(Identifiers.IsValid(name));

    [Theory]
    [InlineData(Identifiers.MaxLength - 1, true)]
    [InlineData(Identifiers.MaxLength, true)]
    [InlineData(Identifiers.MaxLength + 1, false)]
    public void IsValid_LengthAroundTheLimit_EndsThere(int length, bool valid) =>
        Assert.Equal(valid, Identifiers.IsValid(new string('x', length)));

    [Fact]
    public void Rule_NamesTheLimit() => Assert.Contains($"1 to {Identifiers.MaxLength} ", Identifiers.Rule, StringComparison.Ordinal);
}
