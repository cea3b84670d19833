using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FedServerless.Activities.Privacy;
using FedServerless.Activities.State;
using FedServerless.Privacy;
using FedServerless.Storage;
using FedServerless.Wire;
using static FedServerless.Orchestrations.Tests.Privacy.LedgerRig;

namespace FedServerless.Orchestrations.Tests.Privacy;

/// <summary>A ledger that is not what was written stops everything and says where. PITFALLS 13, and the bad input of the issue: a broken chain.</summary>
public sealed class LedgerChainTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task ReadAsync_EveryByteChanged_IsBrokenAtThatEntryOrTheNext()
    {
        var rig = await FilledAsync();
        for (var number = 1; number <= 3; number++)
        {
            var sound = rig.Entry(number);
            for (var i = 0; i < sound.Length; i += 7)
            {
                var forged = sound.ToArray();
                forged[i] ^= 1;
                await rig.ForgeAsync(number, forged);

                var broken = await Assert.ThrowsAsync<LedgerBrokenException>(() => rig.StateAsync());
                Assert.InRange(broken.Number, number, number + 1);
            }

            await rig.ForgeAsync(number, sound);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task ReadAsync_EntryMissing_SaysWhich(int number)
    {
        var rig = await FilledAsync();
        await rig.Disk.DeleteAsync(StoreNames.LedgerEntry(Population, number), None);

        var broken = await Assert.ThrowsAsync<LedgerBrokenException>(() => rig.StateAsync());
        Assert.Equal((Population, (long)number), (broken.Population, broken.Number));
        Assert.Contains("missing", broken.Message, StringComparison.Ordinal);
    }

    // Each is chained rightly, so that only what it says is wrong.
    [Theory]
    [InlineData("kind", "\"gift\"", "kind")]
    [InlineData("format", "2", "format")]
    [InlineData("format", "0", "format")]
    [InlineData("population", "\"other\"", "population")]
    [InlineData("number", "6", "entry 6")]
    [InlineData("previous", "\"0000000000000000000000000000000000000000000000000000000000000000\"", "hash")]
    [InlineData("previous", "null", "hash")]
    [InlineData("round", "0", "round 0")]
    [InlineData("run", "\"Not a name\"", "names a run")]
    [InlineData("run", "\"never\"", "never reserved")]
    [InlineData("discount", "0.5", "discount")]
    [InlineData("time", "\"yesterday\"", "time")]
    public async Task ReadAsync_ImpossibleCharge_SaysWhy(string field, string value, string expected)
    {
        var rig = await FilledAsync();
        var charge = Next(await rig.StateAsync(), LedgerEntryKinds.Charge) with { Run = "run", Round = 2 };
        var json = JsonNode.Parse(JsonSerializer.Serialize(charge, LedgerJson.Default.LedgerEntry))!;
        json[field] = JsonNode.Parse(value);
        await rig.ForgeAsync(5, Encoding.UTF8.GetBytes(json.ToJsonString()));

        var broken = await Assert.ThrowsAsync<LedgerBrokenException>(() => rig.StateAsync());
        Assert.Equal(5, broken.Number);
        Assert.Contains(expected, broken.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(LedgerEntryKinds.Charge, 1, "Charged by entry 4")]
    [InlineData(LedgerEntryKinds.Release, 1, "Charged by entry 4")]
    [InlineData(LedgerEntryKinds.Reserve, 1, "reserved before")]
    [InlineData(LedgerEntryKinds.Reserve, 9, "cannot be priced")]
    [InlineData(LedgerEntryKinds.Budget, null, "has a budget")]
    [InlineData(LedgerEntryKinds.Note, null, "has a reason")]
    public async Task ReadAsync_ImpossibleEntry_SaysWhy(string kind, int? round, string expected)
    {
        var rig = await FilledAsync();
        var entry = Next(await rig.StateAsync(), kind) with
        {
            Run = round is null ? null : "run",
            Round = round,
            Release = kind == LedgerEntryKinds.Reserve ? Round with { SamplingRate = round == 9 ? 1.5 : 0.1 } : null,
        };
        await rig.ForgeAsync(5, JsonSerializer.SerializeToUtf8Bytes(entry, LedgerJson.Default.LedgerEntry));

        var broken = await Assert.ThrowsAsync<LedgerBrokenException>(() => rig.StateAsync());
        Assert.Equal(5, broken.Number);
        Assert.Contains(expected, broken.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PrivacyUnit.Example, PrivacyAdjacency.AddOrRemoveOne)]
    [InlineData(PrivacyUnit.ClientRound, PrivacyAdjacency.AddOrRemoveOne)]
    [InlineData(PrivacyUnit.Client, PrivacyAdjacency.ReplaceOne)]
    public async Task ReserveAsync_AnotherUnitOrAdjacency_IsNoEntryOfThisLedger(PrivacyUnit unit, PrivacyAdjacency adjacency)
    {
        var rig = await FilledAsync();

        await Assert.ThrowsAsync<ArgumentException>(() => rig.Host().ReserveAsync(Population, "run", 9, Round with { NoiseMultiplier = 20, Unit = unit, Adjacency = adjacency }, None));
        Assert.Equal(4, (await rig.StateAsync()).Head);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("")]
    [InlineData("{\"format\":1,\"format\":1}")]
    [InlineData("[]")]
    public async Task ReadAsync_Unreadable_SaysWhere(string text)
    {
        var rig = await FilledAsync();
        await rig.ForgeAsync(5, Encoding.UTF8.GetBytes(text));

        Assert.Equal(5, (await Assert.ThrowsAsync<LedgerBrokenException>(() => rig.StateAsync())).Number);
    }

    [Theory]
    [InlineData(LedgerReader.MaxEntryBytes + 1, true)]
    [InlineData(LedgerReader.MaxEntryBytes, false)]
    [InlineData(LedgerReader.MaxEntryBytes - 1, false)]
    public async Task ReadAsync_LargeEntry_IsReadUpToTheLimit(int bytes, bool isTooLarge)
    {
        var rig = await FilledAsync();
        var note = JsonSerializer.SerializeToUtf8Bytes(Next(await rig.StateAsync(), LedgerEntryKinds.Note) with { Reason = "x", Operator = "o" }, LedgerJson.Default.LedgerEntry);
        byte[] padded = [.. note, .. Enumerable.Repeat((byte)' ', bytes - note.Length)];
        await rig.ForgeAsync(5, padded);

        var broken = await Record.ExceptionAsync(() => rig.StateAsync());
        Assert.Equal(isTooLarge, broken is LedgerBrokenException);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("00000000")]
    [InlineData("00000005.json")]
    [InlineData("note")]
    public async Task ReadAsync_SomethingElseInTheFolder_IsBroken(string name)
    {
        var rig = await FilledAsync();
        await rig.Disk.PutBytesAsync(StoreNames.Ledger(Population) + name, "{}"u8.ToArray(), PutCondition.CreateOnce, None);

        await Assert.ThrowsAsync<LedgerBrokenException>(() => rig.StateAsync());
    }

    [Fact]
    public async Task ReadAsync_LastEntryTakenAwayUnderAHost_IsNoticedByIt()
    {
        var rig = await FilledAsync();
        var host = rig.Host();
        await host.ReadAsync(Population, None);
        await rig.Disk.DeleteAsync(StoreNames.LedgerEntry(Population, 4), None);

        Assert.Equal(4, (await Assert.ThrowsAsync<LedgerBrokenException>(() => host.ReadAsync(Population, None))).Number);
    }

    [Fact]
    public async Task EveryCall_BrokenLedger_DoesNothing()
    {
        var rig = await FilledAsync();
        await rig.Disk.DeleteAsync(StoreNames.LedgerEntry(Population, 2), None);
        var (host, before) = (rig.Host(), rig.Disk.Names);

        await Assert.ThrowsAsync<LedgerBrokenException>(() => host.ReserveAsync(Population, "run", 3, Round, None));
        await Assert.ThrowsAsync<LedgerBrokenException>(() => host.ChargeAsync(Population, "run", 2, None));
        await Assert.ThrowsAsync<LedgerBrokenException>(() => host.ReleaseAsync(Population, "run", 2, None));
        await Assert.ThrowsAsync<LedgerBrokenException>(() => host.IsChargedAsync(Population, "run", 1, None));
        await Assert.ThrowsAsync<LedgerBrokenException>(() => host.SetBudgetAsync(Population, Budget, "officer", None));
        await Assert.ThrowsAsync<LedgerBrokenException>(() => host.NoteAsync(Population, "note", null, "officer", None));
        Assert.Equal(before, rig.Disk.Names);
    }

    // More entries than are read at once, and one more.
    [Theory]
    [InlineData(Listings.AtOnce - 1)]
    [InlineData(Listings.AtOnce)]
    [InlineData(Listings.AtOnce + 1)]
    [InlineData((3 * Listings.AtOnce) + 1)]
    public async Task ReadAsync_ManyEntries_AreAllVerified(int entries)
    {
        var rig = await new LedgerRig().WithBudgetAsync();
        var host = rig.Host();
        for (var round = 1; round < entries; round++)
        {
            Assert.True((await host.ReserveAsync(Population, "run", round, Round with { NoiseMultiplier = 50 }, None)).Admitted);
        }

        var (fresh, grown) = (await rig.StateAsync(), await host.ReadAsync(Population, None));

        Assert.Equal((entries, entries - 1L), (fresh.Head, fresh.Counts.Sum(count => count.Value.Reserved)));
        Assert.Equal((fresh.Head, fresh.HeadDigest), (grown.Head, grown.HeadDigest));
    }

    // docs/concepts/privacy.md: what other languages read.
    [Fact]
    public async Task Entries_Bytes_AreThoseOfThePage()
    {
        var rig = new LedgerRig();
        rig.Time.AdvanceTo(new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero));
        await rig.WithBudgetAsync(Budget with { Order = 8 });
        await rig.Host().ReserveAsync(Population, "run", 1, Round, None);

        var (first, second) = (rig.Entry(1), rig.Entry(2));
        Assert.Equal(
            """{"format":1,"population":"default","number":1,"previous":null,"kind":"budget","time":"2030-01-02T03:04:05+00:00","budget":{"epsilon":3,"delta":1E-05,"adversary":"modelHolder","adaptivity":"adaptive","order":8,"clients":1000},"operator":"officer"}""",
            Encoding.UTF8.GetString(first));
        Assert.Equal(
            $$$"""{"format":1,"population":"default","number":2,"previous":"{{{Digest.Of(first)}}}","kind":"reserve","time":"2030-01-02T03:04:05+00:00","run":"run","round":1,"release":{"sampling":"poisson","samplingRate":0.1,"noiseMultiplier":2,"adjacency":"addOrRemoveOne","unit":"client","gridBits":12}}""",
            Encoding.UTF8.GetString(second));
    }

    // Budget, two reservations, a charge.
    private static async Task<LedgerRig> FilledAsync()
    {
        var rig = await new LedgerRig().WithBudgetAsync();
        var host = rig.Host();
        await host.ReserveAsync(Population, "run", 1, Round, None);
        await host.ReserveAsync(Population, "run", 2, Round, None);
        await host.ChargeAsync(Population, "run", 1, None);
        return rig;
    }

    private static LedgerEntry Next(LedgerState state, string kind) => new()
    {
        Format = 1,
        Population = Population,
        Number = state.Head + 1,
        Previous = state.HeadDigest,
        Kind = kind,
        Time = DateTimeOffset.UnixEpoch,
    };
}
