using FedServerless.Infra.Tests.Bicep;

namespace FedServerless.Infra.Tests;

public sealed class ParserTests
{
    [Theory]
    [InlineData("var a = 'x", "text does not end")]
    [InlineData("var a = '${b'", "does not end")]
    [InlineData("var a = '${b c}'", "too much in text")]
    [InlineData("var a = {\n  b: 1 c: 2\n}", "expected ','")]
    [InlineData("var a = {\n  b: 1\n  b: 2\n}", "stands twice")]
    [InlineData("var a = [\n  1\n", "expected")]
    [InlineData("var a = 1 2", "too much on the line")]
    [InlineData("var a = 1\nvar a = 2", "declared twice")]
    [InlineData("vra a = 1", "begins no declaration")]
    [InlineData("resource a 'x' = 1", "is no object")]
    [InlineData("var a = [for x b: x]", "'in' is missing")]
    [InlineData("var a = b ? c", "expected ':'")]
    [InlineData("var a = f(1 2)", "expected ','")]
    [InlineData("var a = #", "no sign")]
    [InlineData("var a = '\\q'", "no escape")]
    public void Read_WhatIsNotTheLanguage_IsRefusedWithItsLine(string text, string problem)
    {
        var exception = Assert.Throws<BicepSyntaxException>(() => Parser.Read("f.bicep", text));

        Assert.Contains(problem, exception.Message, StringComparison.Ordinal);
        Assert.StartsWith("f.bicep(", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_Operators_BindAsInTheLanguage()
    {
        var value = (Choice)((Variable)Assert.Single(Parser.Read("f", "var a = !b && c == 1 || d ? e : f").Declarations)).Value;

        var or = Assert.IsType<Binary>(value.Condition);
        var and = Assert.IsType<Binary>(or.Left);
        Assert.Equal(("||", "&&"), (or.Operator, and.Operator));
        Assert.Equal(("!", "=="), (Assert.IsType<Unary>(and.Left).Operator, Assert.IsType<Binary>(and.Right).Operator));
    }

    [Fact]
    public void Read_TextWithExpressions_KeepsBoth()
    {
        var text = (Text)((Variable)Assert.Single(Parser.Read("f", "var a = 'x${b.c['${d}']}y\\'s'").Declarations)).Value;

        Assert.Null(text.Plain);
        Assert.Equal(["x", "d", "b", "y's"], text.All().Select(part => part switch { Fragment { Value.Length: > 0 } f => f.Value, Name n => n.Symbol, _ => null }).OfType<string>().Order(StringComparer.Ordinal).OrderBy(part => part is "x" ? 0 : part is "d" ? 1 : part is "b" ? 2 : 3));
    }

    [Fact]
    public void Read_NestedResource_HasItsFullType()
    {
        var file = Parser.Read("f", "resource a 'M.W/sites@2025-03-01' = {\n  name: 'x'\n  resource b 'config' = {\n    name: 'y'\n  }\n}");

        Assert.Equal(["M.W/sites@2025-03-01", "M.W/sites/config@2025-03-01"], file.Resources.Select(resource => resource.Kind));
    }

    [Fact]
    public void Read_DecoratorsConditionsLoopsAndReferences_AreKept()
    {
        var file = Parser.Read("f", "@description('d')\n@minValue(1)\nparam p int = 2 // why\nresource r 'M.A/b@2020-01-01' existing = if (p > 1) {\n  name: 'x'\n}\nresource l 'M.A/b@2020-01-01' = [\n  for (x, i) in []: {\n    name: x\n  }\n]");

        Assert.Equal("d", file.Parameters.Single().Description);
        var resources = file.Resources.ToList();
        Assert.True(resources[0].IsExisting);
        Assert.NotNull(resources[0].Condition);
        Assert.Equal(["x", "i"], Assert.IsType<Loop>(resources[1].Value).Variables);
    }
}
