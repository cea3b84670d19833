using FedServerless.Activities.Clients;
using FedServerless.Activities.State;
using FedServerless.Testing;
using FedServerless.Testing.Storage;

namespace FedServerless.LocalHost.Tests.Gateway;

public sealed class PresenceTests
{
    private readonly ManualTimeProvider _time = new();

    private readonly InMemoryObjectStore _disk = new();

    [Fact]
    public async Task Seen_Window_EndsAfterFiveMinutes()
    {
        var book = await BookAsync("a", "b");
        await NoteAsync(book, "a");
        _time.Advance(TimeSpan.FromMinutes(3));
        await NoteAsync(book, "b");

        Assert.Equal(["a", "b"], await SeenAsync(book));
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(["b"], await SeenAsync(book));
    }

    [Fact]
    public async Task Seen_AnotherHost_ReadsThePages()
    {
        var here = await BookAsync("a");
        var there = new PresenceBook(_disk, _time);
        await NoteAsync(here, "a");

        Assert.Equal(["a"], await SeenAsync(there));
    }

    [Fact]
    public async Task Seen_NoMember_DoesNotCount()
    {
        var book = await BookAsync("a");
        await NoteAsync(book, "a");
        await NoteAsync(book, "stranger");

        Assert.Equal(["a"], await SeenAsync(book));
    }

    [Fact]
    public async Task Seen_OldPages_AreDeleted()
    {
        var book = await BookAsync("a");
        await NoteAsync(book, "a");
        _time.Advance(PresenceBook.ForgetAfter + TimeSpan.FromSeconds(1));

        await SeenAsync(new PresenceBook(_disk, _time));

        Assert.DoesNotContain(_disk.Names, name => name.StartsWith(StoreNames.Presence("p"), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Note_ManyAtOnce_IsOneWriteAndOneWake()
    {
        var store = new FaultInjectingStore(_disk);
        var book = new PresenceBook(store, _time);

        var notes = Enumerable.Range(0, 100).Select(index => book.NoteAsync("p", $"c{index}", CancellationToken.None)).ToList();
        var woken = await CompleteAsync(Task.WhenAll(notes));

        Assert.Equal(1, store.WriteCount);
        Assert.Equal(1, woken.Count(wakes => wakes));
    }

    [Fact]
    public async Task Note_StillPresent_IsWrittenOnceAMinute()
    {
        var store = new FaultInjectingStore(_disk);
        var book = new PresenceBook(store, _time);
        await NoteAsync(book, "a");
        for (var second = 0; second < 120; second += 10)
        {
            _time.Advance(TimeSpan.FromSeconds(10));
            Assert.False(await NoteAsync(book, "a"));
        }

        Assert.Equal(3, store.WriteCount);
    }

    [Fact]
    public async Task Note_WriteFails_IsTriedAgainByTheNext()
    {
        var book = new PresenceBook(FaultInjectingStore.At(_disk, 1, StoreFault.Full), _time);

        await Assert.ThrowsAsync<FedServerless.Storage.StoreFullException>(() => NoteAsync(book, "a"));
        await NoteAsync(book, "a");

        Assert.Contains(_disk.Names, name => name.StartsWith(StoreNames.Presence("p"), StringComparison.Ordinal));
    }

    private async Task<PresenceBook> BookAsync(params string[] members)
    {
        foreach (var member in members)
        {
            await _disk.PutBytesAsync(StoreNames.Member("p", member), default, FedServerless.Storage.PutCondition.CreateOnce, CancellationToken.None);
        }

        return new PresenceBook(_disk, _time);
    }

    private Task<bool> NoteAsync(PresenceBook book, string client) => CompleteAsync(book.NoteAsync("p", client, CancellationToken.None));

    private static Task<IReadOnlyList<string>> SeenAsync(PresenceBook book) => book.SeenLatelyAsync("p", CancellationToken.None);

    private async Task<T> CompleteAsync<T>(Task<T> task)
    {
        while (!task.IsCompleted)
        {
            if (_time.NextDue is { } due)
            {
                _time.AdvanceTo(due);
            }

            await Task.Yield();
        }

        return await task;
    }
}
