using FedServerless.Infra.Tests.Bicep;

namespace FedServerless.Infra.Tests.Rules;

/// <summary>What is used is declared, and what is declared is used.</summary>
internal static class SymbolRules
{
    // The language's functions, as far as the templates use them: a misspelt one is not among them.
    private static readonly string[] Functions =
    [
        "allowed", "concat", "description", "empty", "environment", "guid", "json", "maxLength", "maxValue", "metadata", "minLength", "minValue",
        "subscription", "subscriptionResourceId", "tenant", "toLower", "union", "uniqueString", "utcNow",
    ];

    /// <summary>Symbols and functions that nothing declares.</summary>
    public static IEnumerable<string> Unknown(BicepFile file)
    {
        var declared = file.Declarations.Where(declaration => declaration is not Output).Select(declaration => declaration.Symbol).ToHashSet(StringComparer.Ordinal);
        var used = file.Declarations.SelectMany(declaration => declaration.Expressions).SelectMany(expression => Free(expression, []));
        var calls = file.Expressions.Concat(file.Declarations.SelectMany(declaration => declaration.Decorators).SelectMany(call => call.All())).OfType<Call>();
        return
        [
            .. used.Where(symbol => !declared.Contains(symbol)).Distinct(StringComparer.Ordinal).Select(symbol => $"{file.Path}: nothing declares '{symbol}'"),
            .. calls.Where(call => call.Target is null && !Functions.Contains(call.Function)).Select(call => $"{file.Path}: there is no function '{call.Function}'"),
        ];
    }

    /// <summary>Parameters, variables and references to existing resources that nothing uses.</summary>
    public static IEnumerable<string> Unused(BicepFile file)
    {
        var used = file.Declarations.SelectMany(declaration => declaration.Expressions).SelectMany(expression => Free(expression, [])).ToHashSet(StringComparer.Ordinal);
        return file.Declarations.Where(declaration => declaration is Parameter or Variable or Deployed { IsExisting: true })
            .Where(declaration => !used.Contains(declaration.Symbol)).Select(declaration => $"{file.Path}: nothing uses '{declaration.Symbol}'");
    }

    /// <summary>Parameters and outputs that do not say what they are.</summary>
    public static IEnumerable<string> Undescribed(BicepFile file) => file.Declarations
        .Where(declaration => declaration is Parameter or Output && string.IsNullOrWhiteSpace(declaration.Description))
        .Select(declaration => $"{file.Path}: '{declaration.Symbol}' has no description");

    /// <summary>Nested resources that are referred to and not there.</summary>
    public static IEnumerable<string> UnknownNested(BicepFile file) => file.Expressions.OfType<Member>().Where(member => member.IsNested)
        .Where(member => member.Target is not Name name
            || !file.Declarations.OfType<Deployed>().Any(resource => resource.Symbol == name.Symbol && resource.Body.Nested.Any(inner => inner.Symbol == member.Property)))
        .Select(member => $"{file.Path}: nothing declares '::{member.Property}'");

    // The symbols that an expression takes from outside of itself.
    private static IEnumerable<string> Free(Expression expression, string[] bound) => expression switch
    {
        Name name => bound.Contains(name.Symbol) ? [] : [name.Symbol],
        Loop loop => [.. Free(loop.Source, bound), .. Free(loop.Body, [.. bound, .. loop.Variables])],
        ObjectOf { Nested.Count: > 0 } body => body.Children.SelectMany(child => Free(child, [.. bound, .. body.Nested.Select(inner => inner.Symbol)])),
        _ => expression.Children.SelectMany(child => Free(child, bound)),
    };
}
