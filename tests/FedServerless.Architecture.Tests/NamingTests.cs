using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using FedServerless.Testing;

namespace FedServerless.Architecture.Tests;

/// <summary>The words of the house: docs/concepts/glossary.md.</summary>
public sealed partial class NamingTests
{
    private static readonly string[] Banned = ["Manager", "Helper", "Helpers", "Util", "Utils", "Utility", "Processor", "Data", "Info", "Base"];

    [Theory]
    [MemberData(nameof(Product.AssemblyNames), MemberType = typeof(Product))]
    public void Types_NoNameEndsInABannedWord(string assembly)
    {
        var types = Product.Load(assembly).GetTypes().Where(type => !type.IsDefined(typeof(CompilerGeneratedAttribute), false) && !type.Name.Contains('<'));
        var bad = types.Where(type => Banned.Any(word => PlainName(type).EndsWith(word, StringComparison.Ordinal)) || IsFalseService(type));
        Assert.Empty(bad.Select(type => type.FullName));
    }

    [Fact]
    public void TestMethods_AllAreNamedMethodConditionOutcome()
    {
        var bad = new List<string>();
        foreach (var file in Directory.EnumerateFiles(RepositoryRoot.Combine("tests"), "*.cs", SearchOption.AllDirectories))
        {
            foreach (Match match in TestMethod().Matches(File.ReadAllText(file)))
            {
                var name = match.Groups["name"].Value;
                if (name.Split('_').Length < 2 || name.EndsWith("_Works", StringComparison.Ordinal))
                {
                    bad.Add($"{Path.GetFileName(file)}: {name}");
                }
            }
        }

        Assert.Empty(bad);
    }

    private static string PlainName(Type type) => type.Name.Split('`')[0];

    private static bool IsFalseService(Type type) =>
        PlainName(type).EndsWith("Service", StringComparison.Ordinal) && type.GetInterfaces().All(port => port.Name != "IHostedService");

    [GeneratedRegex(@"\[(Fact|Theory)[^\]]*\](\s*\[[^\n]*\])*\s*public (async )?(Task|void|ValueTask) (?<name>\w+)\(")]
    private static partial Regex TestMethod();
}
