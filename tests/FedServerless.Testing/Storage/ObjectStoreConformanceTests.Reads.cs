using FedServerless.Storage;
using Xunit;

namespace FedServerless.Testing.Storage;

public abstract partial class ObjectStoreConformanceTests
{
    [Fact]
    public async Task HeadReadOpen_Absent_AreNull()
    {
        await PutAsync("a/b", [1]);

        foreach (var name in new[] { "a", "a/b/c", "a/bc", "z" })
        {
            Assert.Null(await Store.HeadAsync(name, Token));
            Assert.Null(await Store.ReadAsync(name, 0, new byte[1], Token));
            Assert.Null(await Store.ReadAsync(name, 0, Memory<byte>.Empty, Token));
            Assert.Null(await Store.OpenAsync(name, 0, Token));
        }
    }

    [Theory]
    [InlineData(0, 1000)]
    [InlineData(0, 1)]
    [InlineData(1, 998)]
    [InlineData(999, 1)]
    [InlineData(0, 0)]
    [InlineData(500, 0)]
    [InlineData(1000, 0)]
    public async Task Read_RangeInside_FillsTheBuffer(int offset, int count)
    {
        var bytes = PatternStream.Bytes(1000);
        var put = await PutAsync("a", bytes);
        var buffer = new byte[count];

        var facts = await Store.ReadAsync("a", offset, buffer, Token);

        Assert.Equal(bytes[offset..(offset + count)], buffer);
        Assert.Equal((1000L, put.ETag), (facts!.Length, facts.ETag));
    }

    [Theory]
    [InlineData(1000, 0, 1001)]
    [InlineData(1000, 999, 2)]
    [InlineData(1000, 1000, 1)]
    [InlineData(1000, 1001, 0)]
    [InlineData(1000, 5000, 10)]
    [InlineData(0, 0, 1)]
    public async Task Read_RangeBeyondTheEnd_Throws(int length, int offset, int count)
    {
        await PutAsync("a", new byte[length]);

        var refused = await Assert.ThrowsAsync<ObjectRangeException>(() => Store.ReadAsync("a", offset, new byte[count], Token));

        Assert.Equal("a", refused.Name);
        Assert.Contains($"{length} bytes", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(999)]
    [InlineData(1000)]
    public async Task Open_OffsetInside_StreamsFromThereToTheEnd(int offset)
    {
        var bytes = PatternStream.Bytes(1000);
        await PutAsync("a", bytes);

        await using var content = await Store.OpenAsync("a", offset, Token);

        var read = new MemoryStream();
        await content!.Stream.CopyToAsync(read, Token);
        Assert.Equal(bytes[offset..], read.ToArray());
        Assert.Equal(1000, content.Facts.Length);
    }

    [Fact]
    public async Task Open_OffsetBeyondTheEnd_Throws()
    {
        await PutAsync("a", new byte[10]);

        await Assert.ThrowsAsync<ObjectRangeException>(() => Store.OpenAsync("a", 11, Token));
    }

    [Fact]
    public async Task ReadAndOpen_NegativeOffset_AreRefused()
    {
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Store.ReadAsync("a", -1, new byte[1], Token));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Store.OpenAsync("a", -1, Token));
    }

    [Fact]
    public async Task Read_WhileOverwritten_SeesOneVersionWhole()
    {
        await PutAsync("a", PatternStream.Bytes(70_000, 0), PutCondition.Overwrite);
        var versions = Enumerable.Range(0, 8).Select(seed => PatternStream.Bytes(70_000, seed)).ToArray();
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < 24; i++)
            {
                await PutAsync("a", versions[i % 8], PutCondition.Overwrite);
            }
        });

        for (var i = 0; i < 50; i++)
        {
            var buffer = new byte[70_000];
            await Store.ReadAsync("a", 0, buffer, Token);
            Assert.Contains(versions, version => version.AsSpan().SequenceEqual(buffer));
        }

        await writing;
    }

    [Fact]
    public async Task List_AnyNames_AreInOrdinalOrder()
    {
        string[] names = ["b", "a", "a/b", "a-b", "a.b", "a/b/c", "aB", "ab", "A", "A/b", "a0", "a~", "a_", "a/bc", "a/b-c", "a/b.d/e", "0", "Z/z", "a/B"];
        foreach (var name in names)
        {
            await PutAsync(name, [1]);
        }

        Assert.Equal(names.Order(StringComparer.Ordinal), await NamesAsync(""));
    }

    [Theory]
    [InlineData("a", "a", "a-b", "a/b", "a/b/c", "a/bc", "ab")]
    [InlineData("a/", "a/b", "a/b/c", "a/bc")]
    [InlineData("a/b", "a/b", "a/b/c", "a/bc")]
    [InlineData("a/b/", "a/b/c")]
    [InlineData("a/b/c", "a/b/c")]
    [InlineData("a/b/c/")]
    [InlineData("x/y/z")]
    public async Task List_Prefix_IsOfTheNameNotOfTheFolder(string prefix, params string[] expected)
    {
        foreach (var name in new[] { "b/a", "ab", "a/bc", "a/b/c", "a/b", "a-b", "a" })
        {
            await PutAsync(name, [1]);
        }

        Assert.Equal(expected, await NamesAsync(prefix));
    }

    [Fact]
    public async Task List_ALongListing_IsWholeAndInOrder()
    {
        var names = Enumerable.Range(0, LongListing).Select(i => $"receipts/{i * 7919 % 100_003:x}").ToArray();
        await Parallel.ForEachAsync(names, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (name, _) => await PutAsync(name, [1]));

        Assert.Equal(names.Order(StringComparer.Ordinal), await NamesAsync("receipts/"));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("../")]
    [InlineData(".tmp/")]
    [InlineData("a//")]
    [InlineData("a+")]
    public async Task List_PrefixOfNoLegalName_IsRefused(string prefix)
    {
        await Assert.ThrowsAsync<ArgumentException>(() => NamesAsync(prefix));
    }
}
