using System.Reflection;
using FedServerless.Testing;

namespace FedServerless.Architecture.Tests;

/// <summary>The product's assemblies and sources, for rules that are tests.</summary>
internal static class Product
{
    /// <summary>Folders that hold what is shipped.</summary>
    public static IReadOnlyList<string> Folders { get; } =
        ["core", "storage", "orchestrations", "gateway", "functions", "local", "client-sdk", "cli"];

    /// <summary>Assembly names of the libraries and programs that are always built.</summary>
    public static TheoryData<string> AssemblyNames { get; } =
    [
        "FedServerless.Core", "FedServerless.Storage", "FedServerless.Storage.Azure", "FedServerless.Workflows", "FedServerless.Activities",
        "FedServerless.Gateway", "FedServerless.Functions.Platform", "FedServerless.Local", "FedServerless.Client", "FedServerless.Client.Training", "fed",
    ];

    public static Assembly Load(string name) => Assembly.Load(new AssemblyName(name));

    /// <summary>Every hand-written C# file of the product, relative to the checkout.</summary>
    public static IEnumerable<string> SourceFiles() => Folders
        .Select(folder => RepositoryRoot.Combine(folder))
        .Where(Directory.Exists)
        .SelectMany(folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
        .Select(file => Path.GetRelativePath(RepositoryRoot.Path, file))
        .Order(StringComparer.Ordinal);
}
