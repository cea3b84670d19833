using FedServerless.Activities.State;
using FedServerless.Infra.Tests.Bicep;

namespace FedServerless.Infra.Tests;

/// <summary>The two accounts, against what the code keeps in them.</summary>
public sealed class StorageTests
{
    private static readonly BicepFile Data = Templates.All["modules/data-storage.bicep"];
    private static readonly BicepFile Host = Templates.All["modules/host-storage.bicep"];

    [Fact]
    public void Lifecycle_DeletesUpdatesAndNothingElse()
    {
        var prefixes = Policy().All().OfType<ObjectOf>().Select(body => body.At("prefixMatch")).OfType<ArrayOf>().SelectMany(array => array.Items).ToList();
        var evaluator = new Evaluator(Data, new Dictionary<string, object?>());
        var prefix = Assert.IsType<string>(evaluator.Value(Assert.Single(prefixes)));

        Assert.All(StoreNames.RunUpdates("r"), name => Assert.StartsWith(prefix, $"fed/{name}", StringComparison.Ordinal));
        string[] others = [StoreNames.Run("r"), StoreNames.Plan("r", 1), StoreNames.ModelPointer("m"), StoreNames.Client("c"), StoreNames.Members("p"), StoreNames.Enrolments];
        Assert.All(others, name => Assert.False($"fed/{name}".StartsWith(prefix, StringComparison.Ordinal), name));
    }

    [Fact]
    public void Lifecycle_WithZeroDays_IsNotMade() =>
        Assert.Equal("updatesKeptDays", Assert.IsType<Name>(Assert.IsType<Binary>(Lifecycle().Condition).Left).Symbol);

    [Fact]
    public void DataAccount_KeepsNothingThatRoundsDelete()
    {
        var service = Data.Resources.Single(resource => resource.Type == "Microsoft.Storage/storageAccounts/blobServices").Body;

        Assert.Equal(new Constant(false), service.At("properties", "deleteRetentionPolicy", "enabled"));
        Assert.Equal(new Constant(false), service.At("properties", "isVersioningEnabled"));
    }

    [Fact]
    public void DataAccount_IsReachedByDevices_AndTheHostsIsNotWhereThereIsANetwork()
    {
        Assert.Equal("Enabled", Plain(Account(Data).At("properties", "publicNetworkAccess")));
        Assert.Equal("Disabled", Plain(Assert.IsType<Choice>(Account(Host).At("properties", "publicNetworkAccess")).No));
        Assert.Equal(new Constant(false), Account(Data).At("properties", "isHnsEnabled"));
    }

    [Fact]
    public void Host_IsGivenTheDataAccountOnlyAsData()
    {
        var app = Templates.Main.Modules.Single(module => module.Symbol == "app").Body;

        Assert.Equal("hostStorage", Root(app.At("params", "hostStorageName")!));
        Assert.Equal("hostStorage", Root(app.At("params", "deploymentContainerUrl")!));
        Assert.Equal("dataStorage", Root(app.At("params", "dataEndpoint")!));
    }

    private static string Root(Expression expression) => expression is Member member ? Root(member.Target) : Assert.IsType<Name>(expression).Symbol;

    private static string? Plain(Expression? expression) => (expression as Text)?.Plain;

    private static ObjectOf Account(BicepFile file) => file.Resources.Single(resource => resource.Type == "Microsoft.Storage/storageAccounts").Body;

    private static Deployed Lifecycle() => Data.Resources.Single(resource => resource.Type == "Microsoft.Storage/storageAccounts/managementPolicies");

    private static ObjectOf Policy() => Lifecycle().Body;
}
