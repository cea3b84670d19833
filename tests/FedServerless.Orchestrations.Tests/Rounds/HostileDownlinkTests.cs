using System.Text.Json;
using FedServerless.Activities.Models;
using FedServerless.Activities.Rounds;
using FedServerless.Activities.State;
using FedServerless.Model;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Wire.Downloads;

namespace FedServerless.Orchestrations.Tests.Rounds;

/// <summary>What an update may be against where models travel encoded: what the round lists, and nothing else.</summary>
public sealed class HostileDownlinkTests
{
    private const int BaseAt = 40;

    private readonly InMemoryObjectStore _disk = new();

    [Fact]
    public async Task RunAsync_DevicesStartedFromDifferentDecodings_AllCountAgainstTheExactWeights()
    {
        var clients = new SimulatedClients(_disk, 3)
        {
            Tamper = (plan, client, update) => client == "client-002" ? update : Against(update, Float16(plan)),
        };
        var (accepted, start, served) = await RunAsync(clients);

        // w + Σ nᵢ·Δᵢ / Σ nᵢ, whatever each Δ was taken from: DESIGN, step 10; docs/concepts/downlink.md.
        var plan = Read(StoreNames.Plan(SimulatedFederation.RunId, 1), StoreJson.Default.RoundPlan);
        var deltas = clients.Ids.Select(client => clients.Deltas(plan, client, plan.Parameters)).ToArray();
        Assert.Equal(3, accepted.Accepted.Count);
        Assert.All(start.Parameters.ToArray().Index(), one => Assert.Equal(
            one.Item + (((10.0 * deltas[0][one.Index]) + (11.0 * deltas[1][one.Index]) + (12.0 * deltas[2][one.Index])) / 33), served.Parameters[one.Index], 1e-6));
    }

    [Fact]
    public async Task RunAsync_HeaderAndReceiptNameDifferentListedModels_IsRefused() => await RefusedAsync(
        (plan, update) => update with { Receipt = update.Receipt with { BaseDigest = Float16(plan) } }, "its receipt names");

    [Fact]
    public async Task RunAsync_HeaderNamesAModelThatIsNotListed_IsRefused() => await RefusedAsync(
        (plan, update) => Against(update, Digest.Of("another"u8)) with { Receipt = Against(update, Digest.Of("another"u8)).Receipt with { BaseDigest = plan.Base.Digest } }, "against the artifact");

    [Fact]
    public async Task RunAsync_ModelThatIsNotListed_IsRefused() => await RefusedAsync((_, update) => Against(update, Digest.Of("another"u8)), "it started from");

    // The encoded file is what travelled; what is trained from is what it decodes to.
    [Fact]
    public async Task RunAsync_EncodedFileItself_IsRefused() => await RefusedAsync((plan, update) => Against(update, Whole(plan, DownloadEncodings.Float16).Artifact.Digest), "it started from");

    // A run that is deleted and made anew keeps its name, its rounds' numbers and its base; the host lives on.
    [Fact]
    public async Task IsBaseAsync_RunMadeAnewWithAnotherDownlink_ReadsItsOwnList()
    {
        await RunAsync(new SimulatedClients(_disk, 3));
        var (none, made) = (CancellationToken.None, Digest.Of("int8"u8));
        var plan = Read(StoreNames.Plan(SimulatedFederation.RunId, 1), StoreJson.Default.RoundPlan);
        var anew = plan with { Download = new DownloadSpec { Encodings = [DownloadEncodings.Int8] } };
        var list = new DownloadsDocument([Whole(plan, DownloadEncodings.Float16) with { Encoding = DownloadEncodings.Int8, Result = made }], []);
        await _disk.CreateOnceAsync(StoreNames.Downloads(plan.Model, plan.BaseVersion, anew.Download), list, StoreJson.Default.DownloadsDocument, none);
        var reader = new RoundReader(_disk, new ModelCatalog(_disk));

        Assert.True(await reader.IsBaseAsync(plan, Float16(plan), none));
        Assert.False(await reader.IsBaseAsync(anew, Float16(plan), none));
        Assert.True(await reader.IsBaseAsync(anew, made, none));
    }

    // Numbers from the objects themselves: what a round reports is what its devices were given, not the version's own file.
    [Fact]
    public async Task RunAsync_ModelTravelsEncoded_CountsTheEncodedBytes()
    {
        await RunAsync(new SimulatedClients(_disk, 3));

        var plan = Read(StoreNames.Plan(SimulatedFederation.RunId, 1), StoreJson.Default.RoundPlan);
        var bytes = _disk.Peek(Whole(plan, DownloadEncodings.Float16).Artifact.Object)!.Length;
        var outcome = Read(StoreNames.RoundOutcome(SimulatedFederation.RunId, 1), StoreJson.Default.RoundOutcomeDocument);
        Assert.True(bytes < plan.Base.Bytes);
        Assert.Equal((3 * bytes, 3 * bytes), (outcome.BytesDown, outcome.Account!.Devices.EgressBytes));
    }

    private async Task RefusedAsync(Func<RoundPlan, SimulatedUpdate, SimulatedUpdate> tamper, string reason)
    {
        var (accepted, _, _) = await RunAsync(new SimulatedClients(_disk, 3)
        {
            Tamper = (plan, client, update) => client == "client-001" ? tamper(plan, update) : update,
        });

        Assert.Equal(["client-000", "client-002"], accepted.Accepted.Select(update => update.Client));
        Assert.Contains(reason, Assert.Single(accepted.Refused).Reason, StringComparison.Ordinal);
    }

    private async Task<(AcceptedDocument Accepted, ModelState Start, ModelState Served)> RunAsync(SimulatedClients clients)
    {
        await using var federation = new SimulatedFederation(_disk, clients);
        await SimulatedFederation.CreateAsync(_disk, SimulatedFederation.Spec() with
        {
            Rounds = 1,

            // Random weights: zeros would be the same in every encoding.
            Architecture = new ArchitectureSpec { Name = "mlp", Inputs = 8, Hidden = [60], Outputs = 3 },
            Download = new DownloadSpec { Encodings = [DownloadEncodings.Float16, DownloadEncodings.Float32] },
        });
        Assert.Equal(RunStates.Completed, (await federation.RunAsync()).State);
        var plan = Read(StoreNames.Plan(SimulatedFederation.RunId, 1), StoreJson.Default.RoundPlan);
        Assert.NotEqual(plan.Base.Digest, Float16(plan));
        return (
            Read(StoreNames.Accepted(SimulatedFederation.RunId, 1), StoreJson.Default.AcceptedDocument),
            ModelStateFile.Read(_disk.Peek(plan.Base.Object)!), await federation.ServedAsync());
    }

    private Digest Float16(RoundPlan plan) => Whole(plan, DownloadEncodings.Float16).Result;

    private WholeDownload Whole(RoundPlan plan, string encoding) =>
        Read(StoreNames.Downloads(plan.Model, plan.BaseVersion, plan.Download!), StoreJson.Default.DownloadsDocument).Whole.Single(whole => whole.Encoding == encoding);

    private T Read<T>(string name, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) => JsonSerializer.Deserialize(_disk.Peek(name)!, type)!;

    /// <summary>The same update against another model, header and receipt at one.</summary>
    private static SimulatedUpdate Against(SimulatedUpdate update, Digest start)
    {
        var header = (byte[])update.Header.Clone();
        start.AsSpan().CopyTo(header.AsSpan(BaseAt));
        var changed = update.WithHeader(header);
        return changed with { Receipt = changed.Receipt with { BaseDigest = start } };
    }
}
