using FedServerless.Activities.State;
using FedServerless.Capacity;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Orchestrations.Tests.Rounds;

public sealed class ModelCopyTests
{
    private static readonly RoundInput Round = new(SimulatedFederation.RunId, 1);

    [Fact]
    public async Task OpenRound_SeveralCopies_AreTheModelUnderNamesOfTheirOwn()
    {
        var disk = new InMemoryObjectStore();
        await using var federation = await PlanAsync(disk, copies: 3);

        await federation.Activities.OpenRound.RunAsync(Round, CancellationToken.None);
        await federation.Activities.OpenRound.RunAsync(Round, CancellationToken.None);

        var plan = (await disk.GetAsync(StoreNames.Plan(Round.Run, 1), StoreJson.Default.RoundPlan, CancellationToken.None)).Value;
        Assert.All(Copies(disk), name => Assert.Equal(plan.Base.Digest, Digest.Of(disk.Peek(name)!)));
        Assert.Equal(3, Copies(disk).Count);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(1)]
    public async Task OpenRound_OneCopy_IsTheModelItself(int? copies)
    {
        var disk = new InMemoryObjectStore();
        await using var federation = await PlanAsync(disk, copies);

        await federation.Activities.OpenRound.RunAsync(Round, CancellationToken.None);

        Assert.Empty(Copies(disk));
    }

    [Theory]
    [InlineData("int8")]
    [InlineData("float16", "float32")]
    [InlineData("float16", "delta")]
    public async Task OpenRound_ModelTravelsEncoded_CopiesEveryFileThatIsServedAndNoOther(params string[] encodings)
    {
        var disk = new InMemoryObjectStore();
        await using var federation = await PlanAsync(disk, copies: 3, encodings);

        await federation.Activities.OpenRound.RunAsync(Round, CancellationToken.None);
        await federation.Activities.OpenRound.RunAsync(Round, CancellationToken.None);

        var plan = (await disk.GetAsync(StoreNames.Plan(Round.Run, 1), StoreJson.Default.RoundPlan, CancellationToken.None)).Value;
        var downloads = (await disk.GetAsync(StoreNames.Downloads(plan.Model, plan.BaseVersion, plan.Download!), StoreJson.Default.DownloadsDocument, CancellationToken.None)).Value;
        Assert.Equal(
            downloads.Files.SelectMany(file => Enumerable.Repeat(file.Digest.ToString(), 3)).Order(StringComparer.Ordinal),
            Copies(disk).Select(name => Digest.Of(disk.Peek(name)!).ToString()).Order(StringComparer.Ordinal));
        Assert.Equal(encodings.Contains("float32"), downloads.Files.Contains(plan.Base));
    }

    [Fact]
    public async Task RunRoundAsync_ModelTravelledEncoded_TheCopiesAreGoneAndTheFilesAreNot()
    {
        var disk = new InMemoryObjectStore();
        await using var federation = await PlanAsync(disk, copies: 2, "float16", "float32");

        await federation.RunRoundAsync();

        Assert.Empty(Copies(disk));
        Assert.Single(disk.Names, name => name.EndsWith(".float16", StringComparison.Ordinal));
    }

    [Fact]
    public async Task RunRoundAsync_WhenItIsOver_TheCopiesAreGoneAndTheModelIsNot()
    {
        var disk = new InMemoryObjectStore();
        await using var federation = await PlanAsync(disk, copies: 2);

        await federation.RunRoundAsync();

        Assert.Empty(Copies(disk));
        Assert.Equal(2, disk.Names.Count(name => name.EndsWith("/weights.safetensors", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task OpenRound_StaleCopyOfTheWorkflowAfterTheSeal_MakesNoCopies()
    {
        var disk = new InMemoryObjectStore();
        await using var federation = await PlanAsync(disk, copies: 2);
        await federation.RunRoundAsync();

        await federation.Activities.OpenRound.RunAsync(Round, CancellationToken.None);

        Assert.Empty(Copies(disk));
    }

    [Theory]
    [InlineData(300, 1)]
    [InlineData(301, 2)]
    [InlineData(1_000_000, ModelReplicas.Max)]
    public void Count_FetchesASecond_AreThreeHundredACopy(double fetches, int copies) => Assert.Equal(copies, ModelReplicas.Count(fetches));

    [Fact]
    public void Of_ManyClients_SpreadEvenly()
    {
        var counts = Enumerable.Range(0, 6000).CountBy(client => ModelReplicas.Of($"client-{client}", 6)).Select(count => count.Value);

        // A thousand each but for chance: five standard deviations of a binomial are 145.
        Assert.All(counts, count => Assert.InRange(count, 855, 1145));
    }

    private static List<string> Copies(InMemoryObjectStore disk) => [.. disk.Names.Where(name => name.Contains("/~model-", StringComparison.Ordinal))];

    private static async Task<SimulatedFederation> PlanAsync(InMemoryObjectStore disk, int? copies, params string[] encodings)
    {
        var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 3));
        var spec = SimulatedFederation.Spec();
        await SimulatedFederation.CreateAsync(disk, spec with { Update = spec.Update with { ModelCopies = copies }, Download = new DownloadSpec { Encodings = encodings.Length == 0 ? ["float32"] : encodings } });
        await Plans.ReplaceAsync(federation, plan => plan);
        return federation;
    }
}
