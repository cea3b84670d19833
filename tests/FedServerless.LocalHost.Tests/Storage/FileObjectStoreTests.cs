using FedServerless.Storage;
using FedServerless.Storage.Files;
using FedServerless.Testing.Storage;

namespace FedServerless.LocalHost.Tests.Storage;

/// <summary>What files promise beyond the conformance suite.</summary>
public sealed class FileObjectStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Open_Again_FindsTheSameObjectsUnderTheSameETags()
    {
        var before = await PutAsync(Open(), "runs/r/seal", [1, 2, 3]);

        var reopened = Open();

        Assert.Equal(before.ETag, (await reopened.HeadAsync("runs/r/seal", Token))!.ETag);
        Assert.False((await PutAsync(reopened, "runs/r/seal", [4])).Written);
        Assert.True((await PutAsync(reopened, "runs/r/seal", [5], PutCondition.IfMatch(before.ETag!))).Written);
    }

    [Fact]
    public void Open_AfterACrash_SweepsWhatWasUnfinished()
    {
        Open();
        var left = Path.Combine(_folder.Path, ".tmp", "left-by-a-crash");
        File.WriteAllBytes(left, new byte[100]);

        Open();

        Assert.False(File.Exists(left));
    }

    [Fact]
    public async Task Put_InEveryOutcome_LeavesNoHiddenFile()
    {
        var store = Open();
        await PutAsync(store, "a", [1]);
        await PutAsync(store, "a", [2]);
        await PutAsync(store, "a", [3], PutCondition.Overwrite);
        await Assert.ThrowsAsync<ContentMismatchException>(() => store.PutAsync("b", Stream.Null, 1, default, Token));
        await Assert.ThrowsAsync<IOException>(() => store.PutAsync("b", new PatternStream(9) { FailsAt = 5 }, 9, default, Token));

        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_folder.Path, ".tmp")));
    }

    [Fact]
    public async Task Put_ClockWentBackSinceTheLastStart_StillChangesTheETag()
    {
        var now = DateTimeOffset.UtcNow;
        var first = await PutAsync(Open(new StoppedClock(now)), "pointer", [1]);

        var earlier = Open(new StoppedClock(now.AddHours(-1)));
        var second = await PutAsync(earlier, "pointer", [2], PutCondition.IfMatch(first.ETag!));
        var third = await PutAsync(Open(new StoppedClock(now)), "pointer", [1], PutCondition.IfMatch(second.ETag!));

        Assert.True(second.Written && third.Written);
        Assert.Equal(3, new HashSet<string?> { first.ETag, second.ETag, third.ETag }.Count);
    }

    [Fact]
    public async Task Put_CreateOnceThroughTwoStoresOnOneFolder_HasOneWinner()
    {
        // They share no lock of ours: only the file system decides.
        var (one, other) = (Open(), Open());
        for (var i = 0; i < 50; i++)
        {
            var name = $"seals/{i}";
            var puts = await Task.WhenAll(
                Task.Run(() => PutAsync(one, name, [1])),
                Task.Run(() => PutAsync(other, name, [2])));

            Assert.Single(puts, put => put.Written);
        }
    }

    [Fact]
    public async Task Put_LargeObject_AllocatesOnlyItsBuffer()
    {
        var store = Open();
        await store.PutAsync("warm", new PatternStream(1_000_000), 1_000_000, PutCondition.CreateOnce, Token);
        var content = new PatternStream(20_000_000);

        // Everything here completes synchronously, so one thread sees all of it.
        var before = GC.GetAllocatedBytesForCurrentThread();
        var put = store.PutAsync("large", content, 20_000_000, PutCondition.CreateOnce, Token);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.True(put.IsCompletedSuccessfully);
        Assert.InRange(allocated, 0, 1_000_000);
    }

    [Fact]
    public async Task Delete_LastOfAFolder_RemovesTheEmptyFolders()
    {
        var store = Open();
        await PutAsync(store, "runs/r/1/a", [1]);
        await PutAsync(store, "runs/r/b", [1]);

        await store.DeleteAsync("runs/r/1/a", Token);
        Assert.Equal([Path.Combine(_folder.Path, "runs+", "r+")], Directory.GetDirectories(Path.Combine(_folder.Path, "runs+")));
        Assert.Empty(Directory.GetDirectories(Path.Combine(_folder.Path, "runs+", "r+")));

        await store.DeleteAsync("runs/r/b", Token);
        Assert.Equal([".tmp"], Directory.EnumerateFileSystemEntries(_folder.Path).Select(Path.GetFileName));
        Assert.True((await PutAsync(store, "runs/r/1/a", [1])).Written);
    }

    [Fact]
    public async Task List_StrangersInTheFolder_AreNoObjects()
    {
        var store = Open();
        await PutAsync(store, "a", [1]);
        foreach (var stranger in new[] { ".DS_Store", "README.md", "two words", "a+-", "Thumbs.db", "x+" })
        {
            File.WriteAllText(Path.Combine(_folder.Path, stranger), "");
        }

        Directory.CreateDirectory(Path.Combine(_folder.Path, "lost+found"));

        var names = new List<string>();
        await foreach (var facts in store.ListAsync("", Token))
        {
            names.Add(facts.Name);
        }

        Assert.Equal(["a"], names);
    }

    [Fact]
    public void DiskFull_RealErrorOfAFullDevice_IsRecognised()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/dev/full is Linux's.");
        using var full = File.OpenHandle("/dev/full", FileMode.Open, FileAccess.Write);

        var refused = Assert.ThrowsAny<IOException>(() => RandomAccess.Write(full, [1], 0));

        Assert.True(DiskFull.Caused(refused));
        Assert.False(DiskFull.Caused(new IOException("something else")));
        Assert.False(DiskFull.Caused(new FileNotFoundException()));
    }

    [Fact]
    public async Task Presign_WithoutAKey_SaysWhatToSet()
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => Open().PresignGetAsync("a", TimeSpan.FromMinutes(1), Token));

        Assert.Contains(nameof(FileObjectStoreOptions.Signer), refused.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private FileObjectStore Open(TimeProvider? time = null) =>
        FileObjectStore.Open(new FileObjectStoreOptions { Root = _folder.Path, Time = time ?? TimeProvider.System });

    private static Task<PutResult> PutAsync(IObjectStore store, string name, byte[] bytes, PutCondition condition = default) =>
        store.PutAsync(name, new MemoryStream(bytes), bytes.Length, condition, Token);
}
