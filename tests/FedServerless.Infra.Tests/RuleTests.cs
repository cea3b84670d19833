using FedServerless.Infra.Tests.Bicep;
using FedServerless.Infra.Tests.Rules;

namespace FedServerless.Infra.Tests;

/// <summary>Each rule finds the mistake that it is for, planted in a small template.</summary>
public sealed class RuleTests
{
    private const string Account = """
        resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
          name: 'a'
          properties: {
            allowSharedKeyAccess: false
            allowBlobPublicAccess: false
            allowCrossTenantReplication: false
            defaultToOAuthAuthentication: true
            minimumTlsVersion: 'TLS1_2'
            supportsHttpsTrafficOnly: true
          }
        }
        """;

    private const string Role = """
        var roles = {
          keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
        }
        resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
          name: guid('x')
          scope: vault
          properties: {
            roleDefinitionId: subscriptionResourceId('x', roles.keyVaultSecretsUser)
            principalType: 'ServicePrincipal'
          }
        }
        """;

    [Theory]
    [InlineData("var a = b\noutput c string = a", "nothing declares 'b'")]
    [InlineData("var a = '${b}'\noutput c string = a", "nothing declares 'b'")]
    [InlineData("var a = toLowr('x')\noutput c string = a", "there is no function 'toLowr'")]
    [InlineData("var a = [for x in []: y]\noutput c array = a", "nothing declares 'y'")]
    public void Unknown_SymbolOrFunction_IsFound(string text, string problem) => Finds(problem, SymbolRules.Unknown(One(text)));

    [Theory]
    [InlineData("@description('x')\nparam a string")]
    [InlineData("var a = 1")]
    [InlineData("resource a 'Microsoft.A/b@2020-01-01' existing = {\n  name: 'x'\n}")]
    public void Unused_ParameterVariableOrReference_IsFound(string text) => Finds("nothing uses 'a'", SymbolRules.Unused(One(text)));

    [Theory]
    [InlineData("param a string")]
    [InlineData("@description('')\nparam a string")]
    [InlineData("@minLength(1)\nparam a string")]
    [InlineData("output a string = 'x'")]
    public void Undescribed_ParameterOrOutput_IsFound(string text) => Finds("'a' has no description", SymbolRules.Undescribed(One(text)));

    [Fact]
    public void UnknownNested_IsFound() => Finds(
        "nothing declares '::c'",
        SymbolRules.UnknownNested(One("resource a 'A/b@1' = {\n  resource b 'c' = {\n    name: 'x'\n  }\n}\noutput d string = a::c.id")));

    [Theory]
    [InlineData("module m 'none.bicep' = {\n}", "which is not there")]
    [InlineData("module m 'b.bicep' = {\n}", "does not get 'p'")]
    [InlineData("module m 'b.bicep' = {\n  params: {\n    p: 1\n    q: 2\n  }\n}", "gets 'q'")]
    [InlineData("module m 'b.bicep' = {\n  params: {\n    p: 1\n  }\n}\noutput x string = m.outputs.none", "'m.outputs.none' is read")]
    [InlineData("module m 'b.bicep' = if (true) {\n  params: {\n    p: 1\n  }\n}\noutput x string = m!.outputs.none", "'m.outputs.none' is read")]
    public void Mismatches_BetweenModules_AreFound(string main, string problem) =>
        Finds(problem, ModuleRules.Mismatches(Templates.Of(("main.bicep", main), ("b.bicep", "param p int\nparam d int = 1\noutput o string = 'x'"))));

    [Fact]
    public void Orphans_FileThatNobodyUses_IsFound() => Finds("b.bicep is no module", ModuleRules.Orphans(Templates.Of(("main.bicep", ""), ("b.bicep", ""))));

    [Fact]
    public void UnguardedConditionals_OutputReadWithoutMark_IsFound() =>
        Finds("'m' is not always there", ModuleRules.UnguardedConditionals(One("module m 'b.bicep' = if (true) {\n}\noutput x string = m.outputs.o")));

    [Theory]
    [InlineData("""{"parameters":{"b":{"value":1},"a":{"value":1}}}""", "has no parameter 'b'")]
    [InlineData("""{"parameters":{}}""", "'a' has no default")]
    public void ParameterFile_TooMuchOrTooLittle_IsFound(string json, string problem) => Finds(problem, ModuleRules.ParameterFile(One("param a int"), json));

    [Fact]
    public void Unsafe_AccountWithEverythingSaid_IsSafe() => Assert.Empty(SecurityRules.Unsafe(One(Account)));

    [Theory]
    [InlineData("allowSharedKeyAccess: false", "allowSharedKeyAccess: true", "allowSharedKeyAccess")]
    [InlineData("allowSharedKeyAccess: false", "", "allowSharedKeyAccess")]
    [InlineData("allowBlobPublicAccess: false", "allowBlobPublicAccess: true", "allowBlobPublicAccess")]
    [InlineData("'TLS1_2'", "'TLS1_0'", "minimumTlsVersion")]
    [InlineData("supportsHttpsTrafficOnly: true", "supportsHttpsTrafficOnly: x", "supportsHttpsTrafficOnly")]
    public void Unsafe_AccountWithAnotherSetting_IsFound(string said, string instead, string problem) =>
        Finds(problem, SecurityRules.Unsafe(One(Account.Replace(said, instead, StringComparison.Ordinal))));

    [Fact]
    public void Unsafe_NestedResource_IsFound() => Finds(
        "'scm' does not say properties.allow",
        SecurityRules.Unsafe(One("resource site 'Microsoft.Web/sites@2025-03-01' = {\n  resource scm 'basicPublishingCredentialsPolicies' = {\n    name: 'scm'\n  }\n}")));

    [Theory]
    [InlineData("var a = account.listKeys().keys[0].value")]
    [InlineData("var a = listKeys('x', '2020-01-01')")]
    [InlineData("var a = vault.getSecret('x')")]
    [InlineData("var a = 'AccountKey=${b}'")]
    public void Keys_ReadOrWritten_AreFound(string text) => Assert.NotEmpty(SecurityRules.Keys(One(text)));

    [Theory]
    [InlineData("@secure()\nparam p string\noutput o string = 'x${p}'")]
    [InlineData("output o string = account.listKeys().keys[0].value")]
    [InlineData("output adminPassword string = 'x'")]
    public void SecretOutputs_AreFound(string text) => Assert.Single(SecurityRules.SecretOutputs(One(text)));

    [Fact]
    public void WrongRoles_RightOne_IsRight() => Assert.Empty(SecurityRules.WrongRoles(One(Role)));

    [Theory]
    [InlineData("4633458b", "4633458c", "'keyVaultSecretsUser' is not 4633458c")]
    [InlineData("keyVaultSecretsUser:", "keyVaultSecretsUsers:", "'keyVaultSecretsUsers' is not")]
    [InlineData("roles.keyVaultSecretsUser", "roles.owner", "there is no role 'owner'")]
    [InlineData("roles.keyVaultSecretsUser", "'4633458b-17de-408a-b874-0445c86b69e6'", "names its role by id")]
    [InlineData("principalType: 'ServicePrincipal'", "", "does not say principalType")]
    [InlineData("scope: vault", "", "has no scope")]
    public void WrongRoles_AreFound(string said, string instead, string problem) =>
        Finds(problem, SecurityRules.WrongRoles(One(Role.Replace(said, instead, StringComparison.Ordinal))));

    [Theory]
    [InlineData("resource a 'Microsoft.Storage/accounts' = {\n  name: 'x'\n}", "no type and version")]
    [InlineData("resource a 'Microsoft.A/b@2025-01-01-preview' = {\n  name: 'x'\n}", "is a preview")]
    [InlineData("resource a 'Microsoft.A/b@2025-01-01' = {\n}", "has no name")]
    [InlineData("resource a 'Microsoft.A/b@2025-01-01' = {\n  name: 'x'\n}\nresource c 'Microsoft.A/b/c@2024-01-01' = {\n  name: 'x'\n}", "several versions")]
    public void Resources_WrongKind_IsFound(string text, string problem) => Finds(problem, ResourceRules.Check(Templates.Of(("main.bicep", text))));

    private static BicepFile One(string text) => Parser.Read("main.bicep", text);

    private static void Finds(string problem, IEnumerable<string> found) =>
        Assert.Contains(found, line => line.Contains(problem, StringComparison.Ordinal));
}
