using FedServerless.Storage;
using Xunit;

namespace FedServerless.Testing.Storage;

/// <summary>
/// Every sentence of <see cref="IObjectStore"/>. A backend is one when a subclass of this passes. Each test gets an empty store.
/// </summary>
public abstract partial class ObjectStoreConformanceTests : IAsyncLifetime
{
    /// <summary>How many writers race for one name.</summary>
    protected const int Writers = 32;

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected IObjectStore Store { get; private set; } = null!;

    /// <summary>How many objects make a long listing: for a paged backend more than two pages.</summary>
    protected virtual int LongListing => 5_001;

    /// <summary>The bytes of the large object.</summary>
    protected virtual int LargeLength => 20_000_003;

    /// <summary>An empty store.</summary>
    protected abstract Task<IObjectStore> CreateAsync();

    public async ValueTask InitializeAsync() => Store = await CreateAsync();

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await DisposeStoreAsync();
        GC.SuppressFinalize(this);
    }

    protected virtual ValueTask DisposeStoreAsync() => ValueTask.CompletedTask;

    protected Task<PutResult> PutAsync(string name, byte[] bytes, PutCondition condition = default) =>
        Store.PutAsync(name, new MemoryStream(bytes), bytes.Length, condition, Token);

    protected async Task<byte[]?> GetAsync(string name)
    {
        await using var content = await Store.OpenAsync(name, 0, Token);
        if (content is null)
        {
            return null;
        }

        var bytes = new MemoryStream();
        await content.Stream.CopyToAsync(bytes, Token);
        return bytes.ToArray();
    }

    protected async Task<List<string>> NamesAsync(string prefix)
    {
        var names = new List<string>();
        await foreach (var facts in Store.ListAsync(prefix, Token))
        {
            names.Add(facts.Name);
        }

        return names;
    }

    private async Task AssertNothingIsThereAsync(string name)
    {
        Assert.Null(await Store.HeadAsync(name, Token));
        Assert.Empty(await NamesAsync(""));
        Assert.True((await PutAsync(name, [1])).Written);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData("../a")]
    [InlineData("a/../b")]
    [InlineData(".tmp/a")]
    [InlineData("a.")]
    [InlineData("a./b")]
    [InlineData("a b")]
    [InlineData("a\\b")]
    [InlineData("a%2fb")]
    [InlineData("a+")]
    [InlineData("ü")]
    [InlineData("a\0")]
    public async Task EveryMethod_IllegalName_Refuses(string name)
    {
        await Assert.ThrowsAsync<ArgumentException>(() => Store.HeadAsync(name, Token));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.ReadAsync(name, 0, new byte[1], Token));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.OpenAsync(name, 0, Token));
        await Assert.ThrowsAsync<ArgumentException>(() => PutAsync(name, [1]));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.DeleteAsync(name, Token));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.PresignGetAsync(name, TimeSpan.FromMinutes(1), Token));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.PresignCreateAsync(name, 1, TimeSpan.FromMinutes(1), Token));
    }

    [Fact]
    public async Task Put_NameAtItsLimits_Writes()
    {
        var name = string.Join('/', Enumerable.Repeat(new string('A', ObjectName.MaxSegmentLength), 4)) + "/aux.json";
        name += new string('b', ObjectName.MaxLength - name.Length);

        Assert.True((await PutAsync(name, [1])).Written);

        Assert.Equal([name], await NamesAsync(""));
        Assert.Equal([1], await GetAsync(name));
    }

    [Fact]
    public async Task Put_NamesThatDifferInCaseOrAreFoldersOfEachOther_StayApart()
    {
        string[] names = ["A", "a", "a/B", "a/b", "a/b/c", "aux", "aux.json", "con/nul"];
        foreach (var name in names)
        {
            Assert.True((await PutAsync(name, System.Text.Encoding.UTF8.GetBytes(name))).Written);
        }

        foreach (var name in names)
        {
            Assert.Equal(System.Text.Encoding.UTF8.GetBytes(name), await GetAsync(name));
        }
    }

    [Fact]
    public async Task Delete_Existing_RemovesItAloneAndSaysSo()
    {
        foreach (var name in new[] { "a", "a/b", "a/b/c", "a/bc" })
        {
            await PutAsync(name, [1]);
        }

        Assert.True(await Store.DeleteAsync("a/b", Token));

        Assert.Null(await Store.HeadAsync("a/b", Token));
        Assert.Equal(["a", "a/b/c", "a/bc"], await NamesAsync(""));
    }

    [Fact]
    public async Task Delete_Absent_IsNoError()
    {
        Assert.False(await Store.DeleteAsync("a/b", Token));
    }

    [Fact]
    public async Task Delete_ThenCreateOnce_WritesUnderANewETag()
    {
        var first = await PutAsync("a/b", [1]);
        await Store.DeleteAsync("a/b", Token);

        var second = await PutAsync("a/b", [1]);

        Assert.True(second.Written);
        Assert.NotEqual(first.ETag, second.ETag);
    }

    [Fact]
    public async Task PutAndDelete_ConcurrentlyInOneFolder_LoseNothing()
    {
        // Deleting the last object of a folder must not take a folder from under somebody's put.
        async Task ChurnAsync(int worker)
        {
            for (var i = 0; i < 20; i++)
            {
                Assert.True((await PutAsync($"x/y/{worker}", [1])).Written);
                Assert.True(await Store.DeleteAsync($"x/y/{worker}", Token));
            }

            Assert.True((await PutAsync($"x/y/{worker}", [1])).Written);
        }

        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(() => ChurnAsync(worker))));

        Assert.Equal(Enumerable.Range(0, 8).Select(worker => $"x/y/{worker}"), await NamesAsync("x/"));
    }
}
