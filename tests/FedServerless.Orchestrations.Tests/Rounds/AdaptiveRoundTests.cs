using FedServerless.Activities.State;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;

namespace FedServerless.Orchestrations.Tests.Rounds;

/// <summary>What clients and rounds choose changes how many bytes travel and in which pieces, never what they mean.</summary>
public sealed class AdaptiveRoundTests
{
    // 150 000 parameters are 600 kB: one part of the plan's, three of the smallest.
    [Fact]
    public async Task RunAsync_EveryClientCutsItsOwnParts_PublishesTheSameBytes()
    {
        var alike = await ServedAsync(_ => null);

        var different = await ServedAsync(client => client switch { "client-001" => 256 << 10, "client-002" => 300_000, _ => null });

        Assert.Equal(alike, different);
    }

    [Theory]
    [InlineData((256 << 10) - 1)]
    [InlineData((1 << 20) + 1)]
    public async Task RunAsync_PartsThatThePlanDoesNotAllow_AreRefusedWithTheReason(int partBytes)
    {
        var disk = new InMemoryObjectStore();

        // Cut as the plan allows, and claimed otherwise: what the inspector goes by is the receipt.
        var clients = new SimulatedClients(disk, 3)
        {
            Tamper = (_, client, update) => client == "client-001" ? update with { Receipt = update.Receipt with { PartBytes = partBytes } } : update,
        };
        await RunAsync(disk, clients, Wide);

        var accepted = (await disk.GetAsync(StoreNames.Accepted(SimulatedFederation.RunId, 1), StoreJson.Default.AcceptedDocument, CancellationToken.None)).Value;
        Assert.Contains("which the plan does not allow", Assert.Single(accepted.Refused).Reason, StringComparison.Ordinal);
    }

    // A target of 8 s leaves 2 s for an update of 600 kB in float32, 150 kB in int8.
    [Theory]
    [InlineData(1e6, "float32")]
    [InlineData(100_000.0, "int8")]
    [InlineData(10.0, "int8")]
    [InlineData(null, "float32")]
    public async Task RunAsync_UplinksOfTheCohort_DecideTheRoundsCodec(double? uplink, string codec)
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 3);
        foreach (var client in clients.Ids.Where(_ => uplink is not null))
        {
            clients.Uplinks[client] = uplink!.Value;
        }

        await RunAsync(disk, clients, spec => Wide(spec) with { Adaptation = new AdaptationSpec { Codecs = ["float32", "int8"], TargetSeconds = 8 } });

        var plan = (await disk.GetAsync(StoreNames.Plan(SimulatedFederation.RunId, 1), StoreJson.Default.RoundPlan, CancellationToken.None)).Value;
        Assert.Equal(codec, plan.Update.Codec);
    }

    private static RunSpec Wide(RunSpec spec) => spec with
    {
        Architecture = new ArchitectureSpec { Name = "softmax", Inputs = 14_999, Outputs = 10 },
        Update = new UpdateSpec { BlockCoordinates = 1024, PartBytes = 1 << 20, MinPartBytes = 256 << 10 },
    };

    private static async Task<byte[]?> ServedAsync(Func<string, int?> partBytes)
    {
        var disk = new InMemoryObjectStore();
        await RunAsync(disk, new SimulatedClients(disk, 3) { PartBytes = partBytes }, Wide);
        return disk.Peek(disk.Names.Single(name => name.EndsWith("-r1/weights.safetensors", StringComparison.Ordinal)));
    }

    private static async Task RunAsync(InMemoryObjectStore disk, SimulatedClients clients, Func<RunSpec, RunSpec> with)
    {
        await using var federation = new SimulatedFederation(disk, clients);
        await SimulatedFederation.CreateAsync(disk, with(SimulatedFederation.Spec(rounds: 1)));
        Assert.Equal(RunStates.Completed, (await federation.RunAsync()).State);
    }
}
