using System.Xml.Linq;
using FedServerless.Testing;

namespace FedServerless.Architecture.Tests;

/// <summary>DESIGN's arrows: who may see whom, by project file and by what the compiler kept.</summary>
public sealed class ArrowTests
{
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["core/FedServerless.Core.csproj"] = [],
        ["storage/FedServerless.Storage/FedServerless.Storage.csproj"] = [],
        ["storage/FedServerless.Storage.Azure/FedServerless.Storage.Azure.csproj"] = ["FedServerless.Storage"],
        ["orchestrations/Workflows/FedServerless.Workflows.csproj"] = ["FedServerless.Core"],
        ["orchestrations/Activities/FedServerless.Activities.csproj"] = ["FedServerless.Workflows", "FedServerless.Storage"],
        ["gateway/FedServerless.Gateway.csproj"] = ["FedServerless.Activities"],
        ["functions/Platform/FedServerless.Functions.Platform.csproj"] = ["FedServerless.Gateway", "FedServerless.Storage.Azure"],
        ["functions/App/FedServerless.Functions.csproj"] = ["FedServerless.Functions.Platform"],
        ["local/FedServerless.Local.csproj"] = ["FedServerless.Gateway", "FedServerless.Storage.Azure"],
        ["client-sdk/FedServerless.Client/FedServerless.Client.csproj"] = ["FedServerless.Core"],
        ["client-sdk/FedServerless.Client.Training/FedServerless.Client.Training.csproj"] = ["FedServerless.Client"],
        ["client-sdk/FedServerless.Client.TorchSharp/FedServerless.Client.TorchSharp.csproj"] = ["FedServerless.Client.Training"],
        ["cli/FedServerless.Cli.csproj"] = ["FedServerless.Client", "FedServerless.Client.Training"],
    };

    [Fact]
    public void ProjectFiles_EveryReference_IsAnArrowOfTheDesign()
    {
        var problems = new List<string>();
        foreach (var file in Product.Folders.Select(folder => RepositoryRoot.Combine(folder)).Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.csproj", SearchOption.AllDirectories)))
        {
            var name = Path.GetRelativePath(RepositoryRoot.Path, file);
            var references = XDocument.Load(file).Descendants("ProjectReference")
                .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value));
            if (!Allowed.TryGetValue(name, out var allowed))
            {
                problems.Add($"{name} has no entry in the table of arrows");
                continue;
            }

            problems.AddRange(references.Except(allowed).Select(reference => $"{name} → {reference}"));
        }

        Assert.Empty(problems);
    }

    [Theory]
    [InlineData("FedServerless.Core", new string[0])]
    [InlineData("FedServerless.Client", new[] { "FedServerless.Core" })]
    [InlineData("FedServerless.Storage", new string[0])]
    public void Assembly_ReferencesBeyondTheRuntime_AreOnlyThese(string assembly, string[] allowed)
    {
        var foreign = Product.Load(assembly).GetReferencedAssemblies()
            .Select(reference => reference.Name!)
            .Where(name => !IsRuntime(name))
            .Except(allowed);
        Assert.Empty(foreign);
    }

    [Theory]
    [InlineData("FedServerless.Workflows")]
    [InlineData("FedServerless.Activities")]
    public void Orchestrations_KnowNeitherAzureNorAspNetCore(string assembly)
    {
        var hosts = Product.Load(assembly).GetReferencedAssemblies()
            .Select(reference => reference.Name!)
            .Where(name => name.StartsWith("Azure.", StringComparison.Ordinal) || name.StartsWith("Microsoft.", StringComparison.Ordinal));
        Assert.Empty(hosts);
    }

    private static bool IsRuntime(string name)
    {
        // System.Numerics.Tensors is a package, not the runtime: the SDK and core do without.
        return name is "System.Runtime" or "netstandard" or "mscorlib"
            || (name.StartsWith("System.", StringComparison.Ordinal) && name != "System.Numerics.Tensors"
                && File.Exists(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, name + ".dll")));
    }
}
