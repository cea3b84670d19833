using System.Text.Json;
using System.Text.RegularExpressions;
using FedServerless.Infra.Tests.Bicep;

namespace FedServerless.Infra.Tests.Rules;

/// <summary>What one file asks of another, and the parameter file of the main one.</summary>
internal static partial class ModuleRules
{
    /// <summary>Modules that are not there, arguments missing or too many, outputs that are not declared.</summary>
    public static IEnumerable<string> Mismatches(IReadOnlyDictionary<string, BicepFile> files) => files.Values.SelectMany(file => Mismatches(file, files));

    /// <summary>Files that no other uses, besides the main one.</summary>
    public static IEnumerable<string> Orphans(IReadOnlyDictionary<string, BicepFile> files) => files.Keys
        .Except(files.Values.SelectMany(file => file.Modules.Select(module => PathFrom(file, module)))).Where(path => path != "main.bicep")
        .Select(path => $"{path} is no module of any file");

    /// <summary>Symbols that a nullable thing is read from as if it were always there: outputs of conditional modules.</summary>
    public static IEnumerable<string> UnguardedConditionals(BicepFile file)
    {
        var conditional = file.Modules.Where(module => module.Condition is not null).Select(module => module.Symbol).ToHashSet(StringComparer.Ordinal);
        return file.Expressions.OfType<Member>().Where(member => member is { Property: "outputs", Target: Name name } && conditional.Contains(name.Symbol))
            .Select(member => $"{file.Path}: '{((Name)member.Target).Symbol}' is not always there; read '{((Name)member.Target).Symbol}!.outputs' behind its condition");
    }

    /// <summary>Parameters that are not declared, and required ones that are not given.</summary>
    public static IEnumerable<string> ParameterFile(BicepFile main, string json)
    {
        using var document = JsonDocument.Parse(json);
        var given = document.RootElement.GetProperty("parameters").EnumerateObject().Select(parameter => parameter.Name).ToHashSet(StringComparer.Ordinal);
        var declared = main.Parameters.Select(parameter => parameter.Symbol).ToHashSet(StringComparer.Ordinal);
        var required = main.Parameters.Where(parameter => parameter.Default is null).Select(parameter => parameter.Symbol);
        return
        [
            .. given.Except(declared).Select(name => $"main.parameters.json: main.bicep has no parameter '{name}'"),
            .. required.Except(given).Select(name => $"main.parameters.json: '{name}' has no default and is not given"),
        ];
    }

    /// <summary>The variables of azd's environment that a parameter file reads.</summary>
    public static IEnumerable<string> EnvironmentOf(string json) => Substitution().Matches(json).Select(match => match.Groups["name"].Value);

    private static IEnumerable<string> Mismatches(BicepFile file, IReadOnlyDictionary<string, BicepFile> files)
    {
        foreach (var module in file.Modules)
        {
            if (!files.TryGetValue(PathFrom(file, module), out var target))
            {
                yield return $"{file.Path}: module '{module.Symbol}' is {module.Kind}, which is not there";
                continue;
            }

            var given = (module.Body.At("params") as ObjectOf)?.Properties.Select(property => property.Name!).ToList() ?? [];
            foreach (var name in given.Except(target.Parameters.Select(parameter => parameter.Symbol)))
            {
                yield return $"{file.Path}: module '{module.Symbol}' gets '{name}', which {target.Path} does not declare";
            }

            foreach (var name in target.Parameters.Where(parameter => parameter.Default is null).Select(parameter => parameter.Symbol).Except(given))
            {
                yield return $"{file.Path}: module '{module.Symbol}' does not get '{name}', which {target.Path} requires";
            }

            foreach (var name in OutputsReadFrom(file, module.Symbol).Except(target.Outputs.Select(output => output.Symbol)))
            {
                yield return $"{file.Path}: '{module.Symbol}.outputs.{name}' is read, which {target.Path} does not declare";
            }
        }
    }

    private static IEnumerable<string> OutputsReadFrom(BicepFile file, string module) => file.Expressions.OfType<Member>()
        .Where(member => member.Target is Member { Property: "outputs" } outputs && SymbolOf(outputs.Target) == module)
        .Select(member => member.Property).Distinct(StringComparer.Ordinal);

    private static string? SymbolOf(Expression expression) => expression switch
    {
        Name name => name.Symbol,
        Unary { Operator: "x!", Operand: var operand } => SymbolOf(operand),
        _ => null,
    };

    private static string PathFrom(BicepFile file, Deployed module) =>
        file.Path.Contains('/', StringComparison.Ordinal) ? $"{file.Path[..file.Path.LastIndexOf('/')]}/{module.Kind}" : module.Kind;

    [GeneratedRegex(@"\$\{(?<name>[A-Z0-9_]+)(?:=[^}]*)?\}", RegexOptions.CultureInvariant)]
    private static partial Regex Substitution();
}
