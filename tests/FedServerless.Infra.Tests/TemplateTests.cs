using FedServerless.Infra.Tests.Rules;
using FedServerless.Testing;

namespace FedServerless.Infra.Tests;

/// <summary>The templates keep the rules; <see cref="RuleTests"/> shows that each rule catches what it is for.</summary>
public sealed class TemplateTests
{
    [Fact]
    public void Symbols_AreDeclaredUsedAndDescribed() => Assert.Empty(Templates.All.Values.SelectMany(file =>
        SymbolRules.Unknown(file).Concat(SymbolRules.Unused(file)).Concat(SymbolRules.Undescribed(file)).Concat(SymbolRules.UnknownNested(file))));

    [Fact]
    public void Modules_GetWhatTheyDeclareAndGiveWhatIsRead() =>
        Assert.Empty(ModuleRules.Mismatches(Templates.All).Concat(ModuleRules.Orphans(Templates.All)).Concat(ModuleRules.UnguardedConditionals(Templates.Main)));

    [Fact]
    public void ParameterFile_GivesWhatMainDeclares() =>
        Assert.Empty(ModuleRules.ParameterFile(Templates.Main, File.ReadAllText(RepositoryRoot.Combine("infra", "main.parameters.json"))));

    [Fact]
    public void Resources_AreSafe() => Assert.Empty(Templates.All.Values.SelectMany(file =>
        SecurityRules.Unsafe(file).Concat(SecurityRules.Keys(file)).Concat(SecurityRules.SecretOutputs(file)).Concat(SecurityRules.WrongRoles(file))));

    [Fact]
    public void Resources_HaveOneStableVersionEach() => Assert.Empty(ResourceRules.Check(Templates.All));

    [Fact]
    public void Main_DeploysToASubscription_AndModulesToAGroup()
    {
        Assert.Equal("subscription", Templates.Main.Scope);
        Assert.All(Templates.All.Values.Where(file => file != Templates.Main), file => Assert.Equal("resourceGroup", file.Scope));
        Assert.All(Templates.Main.Modules, module => Assert.Equal(new Bicep.Name("group"), module.Body.At("scope")));
    }
}
