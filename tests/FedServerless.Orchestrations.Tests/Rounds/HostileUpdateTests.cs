using FedServerless.Activities.State;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Orchestrations.Tests.Rounds;

/// <summary>One client of three is hostile or broken: it is refused with a reason that the operator sees, and the round goes on.</summary>
public sealed class HostileUpdateTests
{
    private const string Bad = "client-001";

    // PITFALLS 34.
    [Fact]
    public Task RunAsync_NaNInABlock_IsRefused() => RefusedAsync(
        update => Resigned(update, update.Parts[0], part => BitConverter.TryWriteBytes(part.AsSpan(8), float.NaN)), "finite values");

    [Fact]
    public Task RunAsync_InfinityInABlock_IsRefused() => RefusedAsync(
        update => Resigned(update, update.Parts[0], part => BitConverter.TryWriteBytes(part.AsSpan(8), float.PositiveInfinity)), "finite values");

    [Fact]
    public Task RunAsync_FlippedBitInAPart_IsRefused() => RefusedAsync(
        update => update with { Parts = [Changed(update.Parts[0], part => part[3] ^= 1)] }, "not what its header signed");

    [Fact]
    public Task RunAsync_TruncatedPart_IsRefused() => RefusedAsync(update => update with { Parts = [update.Parts[0][..^1]] }, "expected 108");

    [Fact]
    public Task RunAsync_LongPart_IsRefused() => RefusedAsync(update => update with { Parts = [[.. update.Parts[0], 0]] }, "expected 108");

    [Fact]
    public Task RunAsync_MissingPart_IsRefused() => RefusedAsync(update => update with { Parts = [] }, "never uploaded");

    [Fact]
    public Task RunAsync_TruncatedHeader_IsRefused() => RefusedAsync(update => update.WithHeader(update.Header[..^1]), "header has");

    [Fact]
    public Task RunAsync_HeaderThatClaimsManyBlocks_IsRefused() => RefusedAsync(
        update => update.WithHeader(Changed(update.Header, header => header.AsSpan(96, 8).Fill(0x7F))), "");

    [Fact]
    public Task RunAsync_OtherLayout_IsRefused() => RefusedAsync(update => update.WithHeader(Changed(update.Header, header => header[9] ^= 1)), "layout");

    [Fact]
    public Task RunAsync_HeaderNotTheSignedOne_IsRefused() => RefusedAsync(
        update => update with { Header = Changed(update.Header, header => header[^1] ^= 1) }, "not the one that the receipt signed");

    // PITFALLS 39, 40.
    [Fact]
    public Task RunAsync_StaleBase_IsRefused() => RefusedAsync(
        update => update with { Receipt = update.Receipt with { BaseDigest = Digest.Of("an older version"u8) } }, "it started from");

    // PITFALLS 37.
    [Fact]
    public Task RunAsync_ZeroSamples_IsRefused() => RefusedAsync(
        update => update with { Receipt = update.Receipt with { Samples = 0 } }, "expected 1 or more");

    [Fact]
    public Task RunAsync_ReceiptOfAnotherClient_IsRefused() => RefusedAsync(
        update => update with { Receipt = update.Receipt with { Client = "client-002" } }, "names another client");

    [Theory]
    [InlineData(1)]
    [InlineData(int.MaxValue)]
    [InlineData(UpdateFormat.MinPartBytes)]
    public Task RunAsync_PartsThatThePlanDoesNotAllow_IsRefused(int partBytes) => RefusedAsync(
        update => update with { Receipt = update.Receipt with { PartBytes = partBytes } }, "which the plan does not allow");

    [Fact]
    public async Task RunAsync_NormAboveTheBound_IsRefused()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 3);
        var deltas = clients.Deltas;
        clients.Deltas = (plan, client, parameters) => client == Bad ? [.. Enumerable.Repeat(1e6f, (int)parameters)] : deltas(plan, client, parameters);
        var accepted = await AcceptedAsync(disk, clients, spec => spec with { Aggregation = new AggregationSpec { MaxNorm = 1 } });
        Assert.Equal([Bad], accepted.Refused.Select(refusal => refusal.Client));
        Assert.Contains("exceeds the bound 1", accepted.Refused[0].Reason, StringComparison.Ordinal);
    }

    // PITFALLS 37.
    [Theory]
    [InlineData(9_999, 9_999)]
    [InlineData(10_000, 10_000)]
    [InlineData(10_001, 10_000)]
    [InlineData(long.MaxValue, 10_000)]
    public async Task RunAsync_ClaimedSamples_WeighAtMostTheCap(long claimed, double weight)
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 3)
        {
            Tamper = (_, client, update) => client == Bad ? update with { Receipt = update.Receipt with { Samples = claimed } } : update,
        };
        var accepted = await AcceptedAsync(disk, clients, spec => spec);
        Assert.Equal(weight, accepted.Accepted.Single(update => update.Client == Bad).Weight);
    }

    // PITFALLS 50.
    [Fact]
    public async Task RunAsync_NegativeVariance_IsRefused()
    {
        var disk = new InMemoryObjectStore();
        await SimulatedFederation.AdoptAsync(disk, "digits", Models.WithBatchNorm());
        var clients = new SimulatedClients(disk, 3) { Tamper = (plan, client, update) => client == Bad ? Resigned(update, update.Parts[0], part => BitConverter.TryWriteBytes(part.AsSpan(16 + 16), -1f)) : update };
        var accepted = await AcceptedAsync(disk, clients, spec => spec with { Architecture = null });
        Assert.Contains("negative variance", Assert.Single(accepted.Refused).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(12 + (1L << 40) - 1, false)]
    [InlineData(12 + (1L << 40), false)]
    [InlineData(12 + (1L << 40) + 1, true)]
    [InlineData(long.MaxValue, true)]
    [InlineData(long.MinValue, true)]
    public async Task RunAsync_IntegerAroundTheLargestStep_IsRefusedBeyondIt(long value, bool refused)
    {
        var disk = new InMemoryObjectStore();
        await SimulatedFederation.AdoptAsync(disk, "digits", Models.WithBatchNorm());
        var clients = new SimulatedClients(disk, 3) { Tamper = (plan, client, update) => client == Bad ? Resigned(update, update.Parts[0], part => BitConverter.TryWriteBytes(part.AsSpan(part.Length - 8), value)) : update };
        var accepted = await AcceptedAsync(disk, clients, spec => spec with { Architecture = null });
        Assert.Equal(refused ? [Bad] : [], accepted.Refused.Select(refusal => refusal.Client));
    }

    [Fact]
    public async Task RunAsync_UnselectedClientCommits_IsRefused()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 4);
        clients.Tamper = (plan, client, update) => update;
        await using var federation = new SimulatedFederation(disk, clients);
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec() with { Selection = new SelectionSpec { Kind = Selections.Uniform, Clients = 2 } });
        await Plans.ReplaceAsync(federation, plan => plan with { Quorum = 3 });
        await Plans.CommitUninvitedAsync(federation);

        await federation.RunRoundAsync();

        var accepted = await disk.GetAsync(StoreNames.Accepted(SimulatedFederation.RunId, 1), StoreJson.Default.AcceptedDocument, CancellationToken.None);
        Assert.Equal("the client was not selected for this round", Assert.Single(accepted.Value.Refused).Reason);
    }

    // PITFALLS 41.
    [Fact]
    public async Task RunAsync_TooFewSound_AbandonsAndKeepsTheModel()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 3) { Tamper = (_, client, update) => client == Bad ? update with { Parts = [] } : update };
        await using var federation = new SimulatedFederation(disk, clients);
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec() with { Round = new RoundSpec { DeadlineSeconds = 60, Minimum = 3 } });
        await Plans.ReplaceAsync(federation, plan => plan);
        var before = (await federation.ServedAsync()).Values;

        var outcome = await federation.RunRoundAsync();

        Assert.Equal("2 updates were accepted, fewer than the minimum.", outcome.Reason);
        Assert.Equal(before, (await federation.ServedAsync()).Values);
    }

    [Fact]
    public async Task AcceptUpdates_RefusedClients_AreLoggedInTheOrderOfTheLog()
    {
        var disk = new InMemoryObjectStore();
        var written = new List<string>();
        var recording = new FaultInjectingStore(disk, write =>
        {
            written.Add(write.Name);
            return StoreFault.None;
        });
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 1), recording);
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec());
        await Plans.ReplaceAsync(federation, plan => plan);
        var accepted = new AcceptedDocument([], [new Refusal("a", "why"), new Refusal("a-1", "why")]);
        await disk.CreateOnceAsync(StoreNames.Accepted(SimulatedFederation.RunId, 1), accepted, StoreJson.Default.AcceptedDocument, CancellationToken.None);
        written.Clear();

        await federation.Activities.AcceptUpdates.RunAsync(new Workflows.Rounds.RoundInput(SimulatedFederation.RunId, 1), CancellationToken.None);

        Assert.Equal(written.Order(StringComparer.Ordinal), written);
        Assert.Equal(2, written.Count);
    }

    private static async Task RefusedAsync(Func<SimulatedUpdate, SimulatedUpdate> tamper, string reason)
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 3) { Tamper = (_, client, update) => client == Bad ? tamper(update) : update };
        var accepted = await AcceptedAsync(disk, clients, spec => spec);
        Assert.Equal(["client-000", "client-002"], accepted.Accepted.Select(update => update.Client));
        Assert.Contains(reason, Assert.Single(accepted.Refused).Reason, StringComparison.Ordinal);
        Assert.Contains(disk.Names, name => name == StoreNames.LogEntry(SimulatedFederation.RunId, 1, 40, Bad));
    }

    private static async Task<AcceptedDocument> AcceptedAsync(InMemoryObjectStore disk, SimulatedClients clients, Func<RunSpec, RunSpec> change)
    {
        await using var federation = new SimulatedFederation(disk, clients);
        await SimulatedFederation.CreateAsync(disk, change(SimulatedFederation.Spec()));
        var result = await federation.RunAsync();
        Assert.Equal(RunStates.Completed, result.State);
        var accepted = await disk.GetAsync(StoreNames.Accepted(SimulatedFederation.RunId, 1), StoreJson.Default.AcceptedDocument, CancellationToken.None);
        return accepted.Value;
    }

    private static byte[] Changed(byte[] bytes, Action<byte[]> change)
    {
        var copy = (byte[])bytes.Clone();
        change(copy);
        return copy;
    }

    /// <summary>A liar that hashes and signs what it sends: only the content gives it away. The update is one block.</summary>
    private static SimulatedUpdate Resigned(SimulatedUpdate update, byte[] part, Action<byte[]> change)
    {
        var changed = Changed(part, change);
        var header = (byte[])update.Header.Clone();
        var offset = UpdateFormat.FixedHeaderBytes;
        var at = 0;
        while (offset < header.Length)
        {
            var length = BitConverter.ToInt32(header, offset);
            Digest.Of(changed.AsSpan(at, length)).AsSpan()[..UpdateFormat.BlockHashBytes].CopyTo(header.AsSpan(offset + sizeof(uint)));
            at += length;
            offset += UpdateFormat.HeaderBytesPerBlock;
        }

        return update.WithHeader(header) with { Parts = [changed] };
    }
}
