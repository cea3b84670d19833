using FedServerless.Storage;
using FedServerless.Testing.Storage;

namespace FedServerless.LocalHost.Tests.Storage;

public sealed class FaultInjectingStoreTests
{
    private readonly InMemoryObjectStore _inner = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(StoreFault.CrashBefore, false)]
    [InlineData(StoreFault.CrashAfter, true)]
    public async Task Put_Crash_LeavesTheWriteOrNotAndTheProcessDead(StoreFault fault, bool written)
    {
        var store = FaultInjectingStore.At(_inner, 2, fault);
        await PutAsync(store, "a");

        var crash = await Assert.ThrowsAsync<SimulatedCrashException>(() => PutAsync(store, "b"));

        Assert.Contains("write 2, Put 'b'", crash.Message, StringComparison.Ordinal);
        Assert.Equal(written ? ["a", "b"] : ["a"], _inner.Names);
        Assert.True(store.HasCrashed);
        await Assert.ThrowsAsync<SimulatedCrashException>(() => PutAsync(store, "c"));
        await Assert.ThrowsAsync<SimulatedCrashException>(async () => await store.HeadAsync("a", Token));
    }

    [Theory]
    [InlineData(StoreFault.FailBefore, false)]
    [InlineData(StoreFault.FailAfter, true)]
    public async Task Put_Failure_LeavesTheWriteOrNotAndTheStoreAlive(StoreFault fault, bool written)
    {
        var store = FaultInjectingStore.At(_inner, 1, fault);

        await Assert.ThrowsAsync<IOException>(() => PutAsync(store, "a"));

        Assert.Equal(written, _inner.Names.Count == 1);
        Assert.Equal(!written, (await PutAsync(store, "a")).Written);
    }

    [Fact]
    public async Task Put_Full_WritesNothing()
    {
        var store = FaultInjectingStore.At(_inner, 1, StoreFault.Full);

        await Assert.ThrowsAsync<StoreFullException>(() => PutAsync(store, "a"));

        Assert.Empty(_inner.Names);
    }

    [Fact]
    public async Task PutAndDelete_SentTwice_AnswerAsOnce()
    {
        var store = FaultInjectingStore.AlwaysTwice(_inner);

        var created = await PutAsync(store, "a");
        var swapped = await PutAsync(store, "a", PutCondition.IfMatch(created.ETag!));
        var overwritten = await PutAsync(store, "a", PutCondition.Overwrite);

        Assert.True(created.Written && swapped.Written && overwritten.Written);
        Assert.Equal(overwritten.ETag, (await store.HeadAsync("a", Token))!.ETag);
        Assert.True(await store.DeleteAsync("a", Token));
    }

    [Fact]
    public async Task Writes_PutsAndDeletes_AreCountedInOrder()
    {
        var store = new FaultInjectingStore(_inner);
        await PutAsync(store, "a");
        await PutAsync(store, "a");
        await store.HeadAsync("a", Token);
        await store.DeleteAsync("a", Token);

        StoreWrite[] expected = [new(1, StoreWriteKind.Put, "a"), new(2, StoreWriteKind.Put, "a"), new(3, StoreWriteKind.Delete, "a")];
        Assert.Equal(expected, store.Writes);
    }

    private static Task<PutResult> PutAsync(IObjectStore store, string name, PutCondition condition = default) =>
        store.PutAsync(name, new MemoryStream([1]), 1, condition, Token);
}
