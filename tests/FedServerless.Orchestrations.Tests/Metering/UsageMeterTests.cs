using FedServerless.Activities.Metering;
using FedServerless.Capacity;
using FedServerless.Storage;
using FedServerless.Testing;
using FedServerless.Testing.Storage;

namespace FedServerless.Orchestrations.Tests.Metering;

public sealed class UsageMeterTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly InMemoryObjectStore _disk = new();
    private readonly UsageBook _book;
    private readonly MeteredStore _store;

    public UsageMeterTests()
    {
        _store = new MeteredStore(_disk, isOwner: false);
        _book = new UsageBook(_store, new UsageMeter(new UsageOptions { InstanceMemoryMb = 1024 }, _time), _time);
    }

    [Fact]
    public async Task Enter_ScopesAtOnce_ShareTheirInstancesTime()
    {
        var first = _book.Meter.Enter("run", 1);
        _time.Advance(TimeSpan.FromSeconds(10));
        var second = _book.Meter.Enter("run", 2);
        _time.Advance(TimeSpan.FromSeconds(4));
        first.Dispose();
        _time.Advance(TimeSpan.FromSeconds(3));
        second.Dispose();

        // 10 s alone and half of 4; half of 4 and 3 alone: together the 17 s that the instance was busy.
        Assert.Equal(12, (await UsageAsync(1)).GbSeconds, 1e-9);
        Assert.Equal(5, (await UsageAsync(2)).GbSeconds, 1e-9);
    }

    [Fact]
    public async Task RestAsync_WhileItWaits_NoTimeIsCounted()
    {
        using (_book.Meter.Enter("run", 1))
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            var held = new TaskCompletionSource();
            var rest = UsageScope.RestAsync(held.Task);
            _time.Advance(TimeSpan.FromSeconds(60));
            held.SetResult();
            await rest;
            _time.Advance(TimeSpan.FromSeconds(2));
        }

        Assert.Equal(3, (await UsageAsync(1)).GbSeconds, 1e-9);
    }

    [Fact]
    public async Task Store_EveryKindOfRequest_IsCountedAsBlobStorageDoes()
    {
        var long8 = MeteredStore.BlockBytes;
        using (_book.Meter.Enter("run", 1))
        {
            await PutAsync("a", long8);
            await PutAsync("b", long8 + 1);
            await _store.HeadAsync("a", CancellationToken.None);
            await _store.ReadAsync("a", 5, new byte[7], CancellationToken.None);
            await using (await _store.OpenAsync("a", 8, CancellationToken.None))
            {
            }

            await _store.OpenAsync("absent", 0, CancellationToken.None);
            await foreach (var _ in _store.ListAsync("a", CancellationToken.None))
            {
            }

            await _store.DeleteAsync("b", CancellationToken.None);
        }

        var usage = await UsageAsync(1);
        Assert.Equal((1 + 3, 4, 1, 1), (usage.Writes, usage.Reads, usage.Lists, usage.Deletes));
        Assert.Equal((2 * long8 + 1, 7 + long8 - 8, 1), (usage.BytesWritten, usage.BytesRead, usage.Executions));
    }

    [Theory]
    [InlineData(4999, 1)]
    [InlineData(5000, 1)]
    [InlineData(5001, 2)]
    public async Task Store_Listing_IsARequestAPage(int objects, int pages)
    {
        for (var i = 0; i < objects; i++)
        {
            await _disk.PutAsync($"x/{i}", Stream.Null, 0, PutCondition.CreateOnce, CancellationToken.None);
        }

        using (_book.Meter.Enter("run", 1))
        {
            await foreach (var _ in _store.ListAsync("x/", CancellationToken.None))
            {
            }
        }

        Assert.Equal(pages, (await UsageAsync(1)).Lists);
    }

    [Fact]
    public async Task Attribute_AfterTheWork_GivesAllOfItToTheRound()
    {
        using (var scope = _book.Meter.Enter(null, 0))
        {
            await _store.HeadAsync("a", CancellationToken.None);
            scope.Attribute("run", 3);
        }

        using (_book.Meter.Enter(null, 0))
        {
            await _store.HeadAsync("a", CancellationToken.None);
        }

        Assert.Equal(1, (await UsageAsync(3)).Reads);
    }

    [Fact]
    public async Task FlushDueAsync_LittleWork_IsWrittenEveryThirtySeconds()
    {
        await WorkAsync(1);
        await _book.FlushDueAsync(CancellationToken.None);
        Assert.Empty(_disk.Names);

        _time.Advance(TimeSpan.FromSeconds(30));
        await _book.FlushDueAsync(CancellationToken.None);
        Assert.Single(_disk.Names);

        await WorkAsync(1);
        await _book.FlushDueAsync(CancellationToken.None);
        Assert.Equal(1 + 1, (await WrittenAsync()).Requests);
    }

    [Fact]
    public async Task FlushDueAsync_MuchWork_IsWrittenAtOnce()
    {
        await WorkAsync(UsageBook.HeavyRequests - 1);
        await _book.FlushDueAsync(CancellationToken.None);
        Assert.Empty(_disk.Names);

        await WorkAsync(1);
        await _book.FlushDueAsync(CancellationToken.None);
        Assert.Single(_disk.Names);
    }

    [Fact]
    public async Task FlushDueAsync_ManyAtOnce_OneWrites()
    {
        var letGo = new TaskCompletionSource();
        var slow = new FaultInjectingStore(_disk) { Gate = (_, _) => letGo.Task };
        using var metered = new MeteredStore(slow, isOwner: false);
        var book = new UsageBook(metered, new UsageMeter(new UsageOptions(), _time), _time);
        using (book.Meter.Enter("run", 1))
        {
            await metered.HeadAsync("a", CancellationToken.None);
        }

        await book.FlushDueAsync(CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(30));
        var first = book.FlushDueAsync(CancellationToken.None);
        var others = Task.WhenAll(Enumerable.Range(0, 20).Select(_ => book.FlushDueAsync(CancellationToken.None)));
        Assert.True(others.IsCompletedSuccessfully);
        Assert.False(first.IsCompleted);
        letGo.SetResult();
        await first;

        Assert.Equal(1, slow.WriteCount);
    }

    [Fact]
    public async Task OfRoundAsync_TwoProcesses_AddsBoth()
    {
        var other = new UsageBook(_store, new UsageMeter(new UsageOptions(), _time), _time);
        using (other.Meter.Enter("run", 1))
        {
            await _store.HeadAsync("a", CancellationToken.None);
        }

        await WorkAsync(2);
        await other.FlushAllAsync(CancellationToken.None);

        // The other's object says that it was written, too.
        Assert.Equal(new ResourceUsage(Reads: 3, Writes: 1, Executions: 2), await UsageAsync(1));
    }

    public void Dispose() => _store.Dispose();

    private async Task WorkAsync(int requests)
    {
        using (_book.Meter.Enter("run", 1))
        {
            for (var i = 0; i < requests; i++)
            {
                await _store.HeadAsync("a", CancellationToken.None);
            }
        }
    }

    private async Task<ResourceUsage> WrittenAsync()
    {
        var reader = new UsageBook(_disk, new UsageMeter(new UsageOptions(), _time), _time);
        return await reader.OfRoundAsync("run", 1, CancellationToken.None);
    }

    private Task<ResourceUsage> UsageAsync(int round) => _book.OfRoundAsync("run", round, CancellationToken.None);

    private Task PutAsync(string name, long length) =>
        _store.PutAsync(name, new MemoryStream(new byte[length]), length, PutCondition.CreateOnce, CancellationToken.None);
}
