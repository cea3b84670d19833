using System.Text.RegularExpressions;
using FedServerless.Infra.Tests.Bicep;

namespace FedServerless.Infra.Tests.Rules;

/// <summary>Types of resources and their versions.</summary>
internal static partial class ResourceRules
{
    /// <summary>Kinds that are no type and version, types in several versions, previews that nobody allowed, resources without a name.</summary>
    public static IEnumerable<string> Check(IReadOnlyDictionary<string, BicepFile> files)
    {
        // Diagnostic settings were never anything but a preview.
        string[] previews = ["Microsoft.Insights/diagnosticSettings"];
        var resources = files.Values.SelectMany(file => file.Resources.Select(resource => (file.Path, Resource: resource))).ToList();
        return
        [
            .. resources.Where(entry => !Kind().IsMatch(entry.Resource.Kind)).Select(entry => $"{entry.Path}: '{entry.Resource.Kind}' is no type and version"),
            .. resources.Where(entry => entry.Resource.Kind.EndsWith("-preview", StringComparison.Ordinal) && !previews.Contains(entry.Resource.Type))
                .Select(entry => $"{entry.Path}: {entry.Resource.Kind} is a preview"),
            .. resources.Where(entry => entry.Resource.Body.At("name") is null).Select(entry => $"{entry.Path}: '{entry.Resource.Symbol}' has no name"),
            .. resources.GroupBy(entry => entry.Resource.Type.Split('/') is [var provider, var type, ..] ? $"{provider}/{type}" : entry.Resource.Type)
                .Where(group => group.Select(entry => entry.Resource.Kind.Split('@')[^1]).Distinct().Count() > 1)
                .Select(group => $"{group.Key} is used in several versions"),
        ];
    }

    [GeneratedRegex(@"^Microsoft(\.[A-Za-z]+)+(/[A-Za-z]+)+@20\d\d-\d\d-\d\d(-preview)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Kind();
}
