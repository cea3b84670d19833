using FedServerless.Infra.Tests.Bicep;
using FedServerless.Testing;

namespace FedServerless.Infra.Tests;

/// <summary>Every template, read once.</summary>
internal static class Templates
{
    /// <summary>The templates of <c>infra/</c>, by their path from there with <c>/</c>.</summary>
    public static IReadOnlyDictionary<string, BicepFile> All { get; } = Directory
        .EnumerateFiles(RepositoryRoot.Combine("infra"), "*.bicep", SearchOption.AllDirectories)
        .Select(file => (Path: Path.GetRelativePath(RepositoryRoot.Combine("infra"), file).Replace('\\', '/'), Text: File.ReadAllText(file)))
        .ToDictionary(file => file.Path, file => Parser.Read(file.Path, file.Text), StringComparer.Ordinal);

    public static BicepFile Main => All["main.bicep"];

    /// <summary>Reads samples as if they were the templates.</summary>
    public static IReadOnlyDictionary<string, BicepFile> Of(params (string Path, string Text)[] files) =>
        files.ToDictionary(file => file.Path, file => Parser.Read(file.Path, file.Text), StringComparer.Ordinal);
}
