using FedServerless.Activities.Metering;
using FedServerless.Activities.State;
using FedServerless.Capacity;
using FedServerless.Model;
using FedServerless.Storage;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Orchestrations.Tests.Metering;

/// <summary>What <see cref="RoundForecast"/> says a round will ask of the store, and what a round did ask.</summary>
public sealed class ForecastTests
{
    private static readonly ModelState Model = new(TensorLayout.Create([new TensorSpec("w", [1000], TensorRole.Parameter)]), new float[1000], []);

    [Theory]
    [InlineData(1, "fedavg", 1, true)]
    [InlineData(10, "fedavg", 1, false)]
    [InlineData(40, "fedadam", 1, false)]
    [InlineData(40, "fedavgm", 2, false)]
    [InlineData(300, "fedavg", 2, false)]
    [InlineData(1500, "fedavg", 2, true)]
    [InlineData(10, "fedavg", 1, false, "float16")]
    [InlineData(10, "fedavg", 1, false, "int8")]
    [InlineData(10, "fedavg", 1, false, "int8", 8)]
    public async Task Activities_RoundThatWasRun_MadeExactlyTheseRequests(int clients, string optimizer, int levels, bool retains, string download = "float32", int round = 2)
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, clients), usage: new UsageOptions { FlushEvery = TimeSpan.FromDays(1000) });
        foreach (var client in federation.Clients.Ids)
        {
            await disk.PutBytesAsync(StoreNames.Member("default", client), default, PutCondition.CreateOnce, CancellationToken.None);
        }

        // The simulated clients train from the exact weights.
        string[] encodings = [.. new[] { download, "float32" }.Distinct()];
        var spec = SimulatedFederation.Spec(rounds: round + 1) with { Architecture = null, RetainUpdates = retains };
        await SimulatedFederation.AdoptAsync(disk, "digits", Model);
        await SimulatedFederation.CreateAsync(
            disk, spec with { Optimizer = new OptimizerSpec { Name = optimizer }, Aggregation = new AggregationSpec { Levels = levels }, Download = new DownloadSpec { Encodings = [.. encodings] } });

        await federation.RunAsync();

        // The first round also looks for what an earlier life of the run left, and the one after this is the last.
        var plan = (await disk.GetAsync(StoreNames.Plan(SimulatedFederation.RunId, round), StoreJson.Default.RoundPlan, CancellationToken.None)).Value;
        var shape = UpdateShape.Create(Model.Layout, plan.Update);
        var forecast = new RoundQuantities(RoundSize.Of(shape, plan.Update.PartBytes, plan.ShardCoordinates, clients), plan.Reduction!)
        {
            Members = clients,
            OptimizerStates = optimizer switch { "fedavg" => 0, "fedavgm" => 1, _ => 2 },
            ModelBytes = plan.Base.Bytes,
            DownBytes = DownloadSize.Of(Model.Layout, encodings),
            EarlierVersions = round - 1,
            EncodesDownloads = download != "float32",
            IsSpread = false,
            LooksForPresence = false,
            RetainsUpdates = retains,
            AnnouncementsPerUpload = 0,
        };

        var measured = await federation.Usage.OfRoundAsync(SimulatedFederation.RunId, round, CancellationToken.None);
        var expected = ResourceUsage.Sum(RoundForecast.Activities(forecast).Select(step => step.Usage));
        Assert.Equal(
            (expected.Writes, expected.Reads, expected.Lists, expected.Deletes, expected.Executions, expected.EngineActions),
            (measured.Writes, measured.Reads, measured.Lists, measured.Deletes, measured.Executions, measured.EngineActions));
    }
}
