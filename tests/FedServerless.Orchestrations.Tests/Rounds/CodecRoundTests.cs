using System.Buffers.Binary;
using FedServerless.Activities.State;
using FedServerless.Compression;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Wire.Updates;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Orchestrations.Tests.Rounds;

/// <summary>Rounds whose updates travel by every codec: the bytes of the decoded updates' mean, for any cut; hostile blocks refused.</summary>
public sealed class CodecRoundTests
{
    private const string Bad = "client-001";

    public static TheoryData<string> Codecs { get; } = [.. UpdateCodecs.All.Names];

    [Theory]
    [MemberData(nameof(Codecs))]
    public async Task RunRoundAsync_AnyCodecAndCut_PublishesTheMeanOfWhatIsDecoded(string codec)
    {
        var update = new UpdateSpec { Codec = codec, BlockCoordinates = 4096, Keep = UpdateCodecs.Keeps(codec) ? 0.02 : null };

        var cut = await PublishAsync(update, plan => plan);
        var whole = await PublishAsync(update, plan => plan with { ShardCoordinates = 2 * RoundGeometry.SuperBlock }, Repeat.AtOnce);

        Assert.Equal(cut.Expected, cut.Served);
        Assert.Equal(cut.Served, whole.Served);
        Assert.NotEqual(cut.Start, cut.Served);
    }

    [Fact]
    public async Task RunRoundAsync_RandomK_HasAMaskOfTheRoundAndAnotherInTheNext()
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 3));
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec() with { Rounds = 2, Update = new() { Codec = UpdateCodecs.RandomK } });

        await federation.RunAsync();

        var seeds = new List<long?>();
        for (var round = 1; round <= 2; round++)
        {
            seeds.Add((await PlannedAsync(disk, round)).MaskSeed);
        }

        Assert.DoesNotContain(null, seeds);
        Assert.NotEqual(seeds[0], seeds[1]);
    }

    [Fact]
    public async Task RunRoundAsync_WarmUp_PlansAShareOfItsOwnForEachRound()
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 3));
        var update = new UpdateSpec { Codec = UpdateCodecs.TopKInt8, Keep = 0.04, WarmUpRounds = 1 };
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec() with { Rounds = 2, Update = update });

        await federation.RunAsync();

        Assert.Equal(0.1, (await PlannedAsync(disk, 1)).Keep!.Value, 1e-12);
        Assert.Equal(update with { WarmUpRounds = null }, await PlannedAsync(disk, 2));
    }

    public static TheoryData<string, Func<byte[], byte[]>> Lies => new()
    {
        { "a count above the coordinates", block => Head(block, uint.MaxValue >> 8) },
        { "one value more", block => Head(block, BinaryPrimitives.ReadUInt32LittleEndian(block) + 1) },
        { "one value fewer", block => Head(block, BinaryPrimitives.ReadUInt32LittleEndian(block) - 1) },
        { "an r of 200", block => Head(block, (BinaryPrimitives.ReadUInt32LittleEndian(block) & 0xFF_FFFF) | (200u << 24)) },
        { "a scale that is NaN", block => Scale(block, float.NaN) },
        { "a scale that is negative", block => Scale(block, -1) },
        { "a bit after the last place", block => [.. block[..^1], (byte)(block[^1] | 0x80)] },
        { "all places beyond the end", block => [.. block[..8], .. new byte[block.Length - 9], 0x80] },
    };

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task RunAsync_LyingSparseBlock_IsRefusedAndTheRoundGoesOn(string what, Func<byte[], byte[]> lie)
    {
        var refused = await RefusedAsync(UpdateCodecs.TopKInt8, block =>
        {
            var changed = lie(block);
            Assert.False(changed.SequenceEqual(block), what);
            return changed;
        });

        Assert.Equal("block 0 is not a legal top-k-int8 block of finite values", refused);
    }

    [Fact]
    public async Task RunAsync_BlockLongerThanTheWholeUpdateMayBe_IsRefusedByItsHeader()
    {
        var refused = await RefusedAsync(UpdateCodecs.TopKInt8, block => [.. block, .. new byte[400]]);

        Assert.Matches(@"^The blocks of the update have \d+ bytes together; expected at most \d+ in codec top-k-int8\.$", refused);
    }

    private static byte[] Head(byte[] block, uint head)
    {
        var changed = (byte[])block.Clone();
        BinaryPrimitives.WriteUInt32LittleEndian(changed, head);
        return changed;
    }

    private static byte[] Scale(byte[] block, float scale)
    {
        var changed = (byte[])block.Clone();
        BinaryPrimitives.WriteSingleLittleEndian(changed.AsSpan(4), scale);
        return changed;
    }

    /// <summary>Changes the first block of one client, which hashes and signs what it sends; returns why it was refused.</summary>
    private static async Task<string> RefusedAsync(string codec, Func<byte[], byte[]> change)
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 3) { Tamper = (_, client, update) => client == Bad ? Resign(update, change) : update };
        await using var federation = new SimulatedFederation(disk, clients);
        await SimulatedFederation.AdoptAsync(disk, "digits", Models.Large(5000, 3));
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec() with { Architecture = null, Rounds = 1, Update = new() { Codec = codec } });
        await federation.RunAsync();
        var accepted = await disk.GetAsync(StoreNames.Accepted(SimulatedFederation.RunId, 1), StoreJson.Default.AcceptedDocument, CancellationToken.None);
        Assert.Equal(["client-000", "client-002"], accepted.Value.Accepted.Select(update => update.Client));
        return Assert.Single(accepted.Value.Refused).Reason;
    }

    private static SimulatedUpdate Resign(SimulatedUpdate update, Func<byte[], byte[]> change)
    {
        var header = (byte[])update.Header.Clone();
        var entry = header.AsSpan(UpdateFormat.FixedHeaderBytes);
        var length = BinaryPrimitives.ReadInt32LittleEndian(entry);
        var block = change(update.Parts[0][..length]);
        BinaryPrimitives.WriteInt32LittleEndian(entry, block.Length);
        Digest.Of(block).AsSpan()[..UpdateFormat.BlockHashBytes].CopyTo(entry[sizeof(int)..]);
        return update.WithHeader(header) with { Parts = [[.. block, .. update.Parts[0][length..]]] };
    }

    private static async Task<UpdateSpec> PlannedAsync(InMemoryObjectStore disk, int round) =>
        (await disk.GetAsync(StoreNames.Plan(SimulatedFederation.RunId, round), StoreJson.Default.RoundPlan, CancellationToken.None)).Value.Update;

    private static async Task<(float[] Start, float[] Expected, float[] Served)> PublishAsync(
        UpdateSpec update, Func<RoundPlan, RoundPlan> change, Repeat repeat = Repeat.Never)
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 5), repeat: repeat);
        var spec = SimulatedFederation.Spec() with { Architecture = null, RetainUpdates = true, Update = update };
        Assert.Empty(RunSpecValidator.Validate(spec));
        await SimulatedFederation.AdoptAsync(disk, spec.Model, Models.Large(140_000, 7));
        await SimulatedFederation.CreateAsync(disk, spec);
        await Plans.ReplaceAsync(federation, change);
        var start = await federation.ServedAsync();
        Assert.Equal(RoundOutcomeKind.Published, (await federation.RunRoundAsync()).Kind);
        var expected = await Recomputation.OfRoundAsync(disk, federation.Clients, SimulatedFederation.RunId, 1);
        return (start.Values, expected.Values, (await federation.ServedAsync()).Values);
    }
}
