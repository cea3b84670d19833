using System.Text.RegularExpressions;
using FedServerless.Infra.Tests.Bicep;

namespace FedServerless.Infra.Tests.Rules;

/// <summary>What a template of this project never says, and what it always says.</summary>
internal static partial class SecurityRules
{
    // https://learn.microsoft.com/azure/role-based-access-control/built-in-roles, compared by hand on 2026-11-22.
    private static readonly Dictionary<string, string> Roles = new(StringComparer.Ordinal)
    {
        ["storageBlobDataOwner"] = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
        ["storageBlobDataContributor"] = "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        ["storageBlobDelegator"] = "db58b8e5-c6ad-4a2a-8342-4190687cbf4a",
        ["storageQueueDataContributor"] = "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
        ["storageTableDataContributor"] = "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
        ["durableTaskDataContributor"] = "0ad04412-c4d5-4796-b79c-f76d14c8d402",
        ["keyVaultSecretsUser"] = "4633458b-17de-408a-b874-0445c86b69e6",
        ["keyVaultSecretsOfficer"] = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        ["monitoringMetricsPublisher"] = "3913510d-42f4-4e42-8a64-420c390055eb",
    };

    // What each kind of resource always says: a default of the platform may change, or be what nobody wants.
    private static readonly (string Type, string[] Path, object Value)[] Always =
    [
        ("Microsoft.Storage/storageAccounts", ["properties", "allowSharedKeyAccess"], false),
        ("Microsoft.Storage/storageAccounts", ["properties", "allowBlobPublicAccess"], false),
        ("Microsoft.Storage/storageAccounts", ["properties", "allowCrossTenantReplication"], false),
        ("Microsoft.Storage/storageAccounts", ["properties", "defaultToOAuthAuthentication"], true),
        ("Microsoft.Storage/storageAccounts", ["properties", "minimumTlsVersion"], "TLS1_2"),
        ("Microsoft.Storage/storageAccounts", ["properties", "supportsHttpsTrafficOnly"], true),
        ("Microsoft.Storage/storageAccounts/blobServices/containers", ["properties", "publicAccess"], "None"),
        ("Microsoft.KeyVault/vaults", ["properties", "enableRbacAuthorization"], true),
        ("Microsoft.KeyVault/vaults", ["properties", "enableSoftDelete"], true),
        ("Microsoft.KeyVault/vaults", ["properties", "enablePurgeProtection"], true),
        ("Microsoft.Insights/components", ["properties", "DisableLocalAuth"], true),
        ("Microsoft.OperationalInsights/workspaces", ["properties", "features", "disableLocalAuth"], true),
        ("Microsoft.Web/sites", ["properties", "httpsOnly"], true),
        ("Microsoft.Web/sites", ["properties", "siteConfig", "minTlsVersion"], "1.2"),
        ("Microsoft.Web/sites", ["properties", "siteConfig", "scmMinTlsVersion"], "1.2"),
        ("Microsoft.Web/sites", ["properties", "siteConfig", "ftpsState"], "Disabled"),
        ("Microsoft.Web/sites", ["identity", "type"], "UserAssigned"),
        ("Microsoft.Web/sites", ["properties", "functionAppConfig", "deployment", "storage", "authentication", "type"], "UserAssignedIdentity"),
        ("Microsoft.Web/sites/basicPublishingCredentialsPolicies", ["properties", "allow"], false),
    ];

    /// <summary>Resources that leave a safe setting to the platform, or say an unsafe one.</summary>
    public static IEnumerable<string> Unsafe(BicepFile file) =>
        from resource in file.Resources
        where !resource.IsExisting
        from rule in Always
        where rule.Type == resource.Type && !Equals(ValueOf(resource.Body.At(rule.Path)), rule.Value)
        select $"{file.Path}: '{resource.Symbol}' does not say {string.Join('.', rule.Path)}: {rule.Value.ToString()!.ToLowerInvariant()}";

    /// <summary>Calls that read a key, and settings that are keys or connection strings with one.</summary>
    public static IEnumerable<string> Keys(BicepFile file) =>
    [
        .. file.Expressions.OfType<Call>().Where(call => call.Function.StartsWith("list", StringComparison.Ordinal) || call.Function is "getSecret")
            .Select(call => $"{file.Path}: {call.Function}() reads a secret"),
        .. file.Expressions.OfType<Fragment>().Where(fragment => KeyText().IsMatch(fragment.Value)).Select(fragment => $"{file.Path}: '{fragment.Value}' carries a key"),
    ];

    /// <summary>Outputs that give a secret away. They are kept in clear with the deployment.</summary>
    public static IEnumerable<string> SecretOutputs(BicepFile file)
    {
        var secure = file.Parameters.Where(parameter => parameter.Decorators.Any(call => call.Function == "secure")).Select(parameter => parameter.Symbol).ToHashSet(StringComparer.Ordinal);
        return file.Outputs
            .Where(output => SecretName().IsMatch(output.Symbol) || output.Value.All().Any(part => part is Name name && secure.Contains(name.Symbol)
                || part is Call call && (call.Function.StartsWith("list", StringComparison.Ordinal) || call.Function == "getSecret")))
            .Select(output => $"{file.Path}: output '{output.Symbol}' gives a secret away");
    }

    /// <summary>Ids that are not the role they are said to be, and assignments of what is not in the table.</summary>
    public static IEnumerable<string> WrongRoles(BicepFile file)
    {
        var table = (file.Declarations.OfType<Variable>().FirstOrDefault(variable => variable.Symbol == "roles")?.Value as ObjectOf)?.Properties ?? [];
        foreach (var role in table)
        {
            if (Roles.GetValueOrDefault(role.Name!) != (role.Value as Text)?.Plain)
            {
                yield return $"{file.Path}: '{role.Name}' is not {(role.Value as Text)?.Plain}";
            }

            if (!file.Expressions.Any(expression => expression is Member { Target: Name { Symbol: "roles" } } member && member.Property == role.Name))
            {
                yield return $"{file.Path}: nobody has the role '{role.Name}'";
            }
        }

        foreach (var unknown in file.Expressions.OfType<Member>().Where(member => member.Target is Name { Symbol: "roles" }).Select(member => member.Property)
            .Except(table.Select(role => role.Name!)))
        {
            yield return $"{file.Path}: there is no role '{unknown}'";
        }

        foreach (var assignment in file.Resources.Where(resource => resource.Type == "Microsoft.Authorization/roleAssignments"))
        {
            if (assignment.Body.At("properties", "principalType") is null)
            {
                yield return $"{file.Path}: '{assignment.Symbol}' does not say principalType, and fails while the principal is new";
            }

            if (assignment.Body.At("scope") is null)
            {
                yield return $"{file.Path}: '{assignment.Symbol}' has no scope: the whole resource group";
            }

            if (assignment.Body.At("properties", "roleDefinitionId")?.All().OfType<Fragment>().Any(fragment => Guid.TryParse(fragment.Value, out _)) == true)
            {
                yield return $"{file.Path}: '{assignment.Symbol}' names its role by id, not by the table";
            }
        }
    }

    private static object? ValueOf(Expression? expression) => expression switch
    {
        Constant constant => constant.Value,
        Text text => text.Plain,
        _ => null,
    };

    [GeneratedRegex("AccountKey=|SharedAccessKey|sig=|Password=|DefaultEndpointsProtocol", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex KeyText();

    [GeneratedRegex("password|secret$|apikey|accesskey|accountkey|sastoken", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex SecretName();
}
