using FedServerless.Activities.Clients;
using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Testing;
using FedServerless.Testing.Storage;
using FedServerless.Wire;

namespace FedServerless.LocalHost.Tests.Gateway;

/// <summary>What hosts together know of their clients' links: it decides the codec of a round.</summary>
public sealed class UplinkTests
{
    private readonly ManualTimeProvider _time = new();

    private readonly InMemoryObjectStore _disk = new();

    [Fact]
    public async Task Uplinks_MeasuredClients_AreInOrderAndOthersMissing()
    {
        var book = new PresenceBook(_disk, _time);
        await NoteAsync(book, "b", 2e5);
        await NoteAsync(book, "a", 1e5);
        await NoteAsync(book, "c", null);

        Assert.Equal([("a", 1e5), ("b", 2e5)], await UplinksAsync(book));
        Assert.Empty(await book.UplinksAsync("another", CancellationToken.None));
    }

    [Fact]
    public async Task Uplinks_Window_EndsAfterFiveMinutes()
    {
        var (here, there) = (new PresenceBook(_disk, _time), new PresenceBook(_disk, _time));
        await NoteAsync(here, "a", 1e5);
        _time.Advance(PresenceBook.Window - TimeSpan.FromSeconds(1));
        Assert.Equal([("a", 1e5)], await UplinksAsync(here));
        Assert.Equal([("a", 1e5)], await UplinksAsync(there));

        _time.Advance(TimeSpan.FromSeconds(1));

        // Neither from the page nor from what the host that wrote it remembers.
        Assert.Empty(await UplinksAsync(here));
        Assert.Empty(await UplinksAsync(there));
    }

    [Fact]
    public async Task Uplinks_MeasuredAnew_IsTheNewest()
    {
        var book = new PresenceBook(_disk, _time);
        await NoteAsync(book, "a", 1e5);
        _time.Advance(TimeSpan.FromSeconds(1));
        await NoteAsync(book, "a", 3e5);

        Assert.Equal([("a", 3e5)], await UplinksAsync(book));
    }

    [Fact]
    public async Task Uplinks_CheckInThatTellsNothing_LeavesWhatWasTold()
    {
        var book = new PresenceBook(_disk, _time);
        await NoteAsync(book, "a", 1e5);
        _time.Advance(TimeSpan.FromMinutes(4));
        await NoteAsync(book, "a", null);
        _time.Advance(TimeSpan.FromMinutes(4));

        Assert.Equal([("a", 1e5)], await UplinksAsync(book));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Uplinks_ClientThatChangedHosts_IsAsTheLastOneKnowsIt(bool back)
    {
        var (first, second) = (new PresenceBook(_disk, _time), new PresenceBook(_disk, _time));
        await NoteAsync(first, "a", 1e5);
        _time.Advance(TimeSpan.FromMinutes(2));
        await NoteAsync(second, "a", 2e5);
        if (back)
        {
            _time.Advance(TimeSpan.FromMinutes(2));
            await NoteAsync(first, "a", 3e5);
        }

        var expected = back ? 3e5 : 2e5;
        Assert.Equal([("a", expected)], await UplinksAsync(first));
        Assert.Equal([("a", expected)], await UplinksAsync(second));
        Assert.Equal([("a", expected)], await UplinksAsync(new PresenceBook(_disk, _time)));
    }

    // Pages know the second only, and have names that are drawn: neither may decide.
    [Theory]
    [InlineData("one", "two")]
    [InlineData("two", "one")]
    public async Task Uplinks_TwoPagesOfTheSameSecond_GiveTheSlower(string slow, string fast)
    {
        await PageAsync(slow, 1e5);
        await PageAsync(fast, 2e5);

        Assert.Equal([("a", 1e5)], await UplinksAsync(new PresenceBook(_disk, _time)));
    }

    // The gateway refuses such a check-in; here they must neither count nor keep the page, which JSON could not hold, from being written.
    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(-1.0)]
    [InlineData(0.0)]
    [InlineData(0.999)]
    [InlineData(1e300)]
    public async Task Uplinks_BeyondBelief_CountAsNotMeasured(double rate)
    {
        var book = new PresenceBook(_disk, _time);
        await NoteAsync(book, "a", rate);

        Assert.Empty(await UplinksAsync(book));
        Assert.Empty(await UplinksAsync(new PresenceBook(_disk, _time)));
        Assert.Contains("a", (await book.LastSeenAsync("p", CancellationToken.None)).Keys);
    }

    [Theory]
    [InlineData(DeviceMeasurements.MinRate)]
    [InlineData(DeviceMeasurements.MaxRate)]
    public async Task Uplinks_JustBelievable_Count(double rate)
    {
        var book = new PresenceBook(_disk, _time);
        await NoteAsync(book, "a", rate);

        Assert.Equal([("a", rate)], await UplinksAsync(new PresenceBook(_disk, _time)));
    }

    [Fact]
    public async Task Uplinks_PageWithNonsense_KeepsTheRest()
    {
        await PageAsync("one", -5);
        var book = new PresenceBook(_disk, _time);
        await NoteAsync(book, "b", 1e5);

        Assert.Equal([("b", 1e5)], await UplinksAsync(book));
    }

    [Fact]
    public async Task Uplinks_PageOfAnOlderVersion_HasNone()
    {
        var name = StoreNames.Presence("p") + "old.json";
        var json = $$"""{"writtenAt":"{{_time.GetUtcNow():O}}","clients":{"a":{{_time.GetUtcNow().ToUnixTimeSeconds()}} } }""";
        await _disk.PutBytesAsync(name, System.Text.Encoding.UTF8.GetBytes(json), PutCondition.CreateOnce, CancellationToken.None);

        Assert.Empty(await UplinksAsync(new PresenceBook(_disk, _time)));
    }

    private Task PageAsync(string host, double rate) => _disk.PutAsync(
        StoreNames.Presence("p") + host + ".json",
        new PresencePage(_time.GetUtcNow(), new Dictionary<string, long> { ["a"] = _time.GetUtcNow().ToUnixTimeSeconds() }) { Uplinks = new Dictionary<string, double> { ["a"] = rate } },
        ClientJson.Default.PresencePage, PutCondition.CreateOnce, CancellationToken.None);

    private static async Task<IEnumerable<(string Client, double Rate)>> UplinksAsync(PresenceBook book) =>
        (await book.UplinksAsync("p", CancellationToken.None)).Select(entry => (entry.Key, entry.Value));

    /// <summary>Notes a client, and lets the time pass that the page's write gathers for.</summary>
    private async Task NoteAsync(PresenceBook book, string client, double? uplink)
    {
        var noted = book.NoteAsync("p", client, CancellationToken.None, uplink);
        while (!noted.IsCompleted)
        {
            if (_time.NextDue is { } due)
            {
                _time.AdvanceTo(due);
            }

            await Task.Yield();
        }

        await noted;
    }
}
