using FedServerless.Storage;
using Xunit;

namespace FedServerless.Testing.Storage;

public abstract partial class ObjectStoreConformanceTests
{
    [Fact]
    public async Task Put_CreateOnceAbsent_WritesAndEveryReaderAgrees()
    {
        var put = await PutAsync("runs/r/plan.json", [1, 2, 3]);

        Assert.True(put.Written);
        var head = await Store.HeadAsync("runs/r/plan.json", Token);
        Assert.Equal(("runs/r/plan.json", 3L, put.ETag), (head!.Name, head.Length, head.ETag));
        Assert.Equal(head, await Store.ReadAsync("runs/r/plan.json", 0, new byte[3], Token));
        await using var content = await Store.OpenAsync("runs/r/plan.json", 0, Token);
        Assert.Equal(head, content!.Facts);
        await foreach (var listed in Store.ListAsync("runs/", Token))
        {
            Assert.Equal(head, listed);
        }
    }

    [Fact]
    public async Task Put_DefaultCondition_IsCreateOnce()
    {
        await PutAsync("a", [1], PutCondition.CreateOnce);

        var put = await PutAsync("a", [2], default);

        Assert.Equal(new PutResult(false, null), put);
        Assert.Equal([1], await GetAsync("a"));
    }

    [Fact]
    public async Task Put_CreateOnceByManyAtOnce_HasOneWinnerWhoseBytesAreIntact()
    {
        // 70 kB: longer than any one write, so a mixture would show.
        var puts = await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(() =>
            Store.PutAsync("seal", new PatternStream(70_000, writer), 70_000, PutCondition.CreateOnce, Token))));

        var winner = Assert.Single(Enumerable.Range(0, Writers), writer => puts[writer].Written);
        Assert.Equal(PatternStream.Bytes(70_000, winner), await GetAsync("seal"));
        Assert.Equal(puts[winner].ETag, (await Store.HeadAsync("seal", Token))!.ETag);
    }

    [Fact]
    public async Task Put_IfMatchCurrent_WritesUnderANewETag()
    {
        var first = await PutAsync("pointer", [1]);

        var second = await PutAsync("pointer", [2], PutCondition.IfMatch(first.ETag!));

        Assert.True(second.Written);
        Assert.NotEqual(first.ETag, second.ETag);
        Assert.Equal([2], await GetAsync("pointer"));
    }

    [Fact]
    public async Task Put_IfMatchStaleThoughTheBytesAreBack_DoesNotWrite()
    {
        var first = await PutAsync("pointer", [1]);
        var second = await PutAsync("pointer", [2], PutCondition.IfMatch(first.ETag!));
        var third = await PutAsync("pointer", [1], PutCondition.IfMatch(second.ETag!));

        var stale = await PutAsync("pointer", [3], PutCondition.IfMatch(first.ETag!));

        Assert.Equal(new PutResult(false, null), stale);
        Assert.Equal(third.ETag, (await Store.HeadAsync("pointer", Token))!.ETag);
    }

    [Fact]
    public async Task Put_IfMatchAbsent_DoesNotWrite()
    {
        var put = await PutAsync("pointer", [1], PutCondition.IfMatch("\"0x8DC0FFEE\""));

        Assert.False(put.Written);
        Assert.Null(await Store.HeadAsync("pointer", Token));
    }

    [Fact]
    public async Task Put_IfMatchByManyAtOnce_CountsEveryWinOnce()
    {
        // A counter moved by compare-and-swap: two winners over one version would lose a count.
        await PutAsync("counter", [0]);
        var wins = 0;
        async Task SwapAsync()
        {
            for (var i = 0; i < 4; i++)
            {
                var buffer = new byte[1];
                var facts = await Store.ReadAsync("counter", 0, buffer, Token);
                buffer[0]++;
                if ((await PutAsync("counter", buffer, PutCondition.IfMatch(facts!.ETag))).Written)
                {
                    Interlocked.Increment(ref wins);
                }
            }
        }

        await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(SwapAsync)));

        Assert.True(wins >= 4);
        Assert.Equal(new byte[] { (byte)wins }, await GetAsync("counter"));
    }

    [Fact]
    public async Task Put_Overwrite_WritesWhateverIsThere()
    {
        var first = await PutAsync("presence", [1], PutCondition.Overwrite);
        var second = await PutAsync("presence", [2, 2], PutCondition.Overwrite);

        Assert.True(first.Written && second.Written);
        Assert.NotEqual(first.ETag, second.ETag);
        Assert.Equal(new byte[] { 2, 2 }, await GetAsync("presence"));
    }

    [Fact]
    public async Task Put_SameBytesAgain_ChangesTheETag()
    {
        var tags = new HashSet<string?>();
        for (var i = 0; i < 20; i++)
        {
            tags.Add((await PutAsync("presence", [1], PutCondition.Overwrite)).ETag);
        }

        Assert.Equal(20, tags.Count);
    }

    [Fact]
    public async Task Put_NothingLong_IsAnObject()
    {
        Assert.True((await PutAsync("closing", [])).Written);

        Assert.False((await PutAsync("closing", [])).Written);
        Assert.Equal(0, (await Store.HeadAsync("closing", Token))!.Length);
        Assert.Equal(Array.Empty<byte>(), await GetAsync("closing"));
        Assert.NotNull(await Store.ReadAsync("closing", 0, Memory<byte>.Empty, Token));
        Assert.Equal(["closing"], await NamesAsync(""));
    }

    [Fact]
    public async Task Put_LargeFromAStreamThatCannotRewind_KeepsEveryByte()
    {
        var put = await Store.PutAsync("large", new PatternStream(LargeLength), LargeLength, PutCondition.CreateOnce, Token);

        Assert.True(put.Written);
        await using var content = await Store.OpenAsync("large", 0, Token);
        Assert.Equal(LargeLength, content!.Facts.Length);
        var (actual, expected) = (new byte[65_536], new byte[65_536]);
        long offset = 0;
        for (int read; (read = await content.Stream.ReadAtLeastAsync(actual, actual.Length, false, Token)) > 0; offset += read)
        {
            PatternStream.Fill(expected.AsSpan(0, read), offset, 0);
            Assert.True(actual.AsSpan(0, read).SequenceEqual(expected.AsSpan(0, read)), $"Bytes differ after {offset}.");
        }

        Assert.Equal(LargeLength, offset);
    }

    [Fact]
    public async Task Put_LargeOverAStaleVersion_DoesNotWrite()
    {
        var first = await PutAsync("large", [1]);
        await PutAsync("large", [2], PutCondition.IfMatch(first.ETag!));

        var put = await Store.PutAsync("large", new PatternStream(LargeLength), LargeLength, PutCondition.IfMatch(first.ETag!), Token);
        var create = await Store.PutAsync("large", new PatternStream(LargeLength), LargeLength, PutCondition.CreateOnce, Token);

        Assert.False(put.Written || create.Written);
        Assert.Equal([2], await GetAsync("large"));
    }

    [Fact]
    public async Task Put_LargeCreateOnceByThreeAtOnce_HasOneWinnerWhoseBytesAreIntact()
    {
        var puts = await Task.WhenAll(Enumerable.Range(0, 3).Select(writer => Task.Run(() =>
            Store.PutAsync("large", new PatternStream(LargeLength, writer), LargeLength, PutCondition.CreateOnce, Token))));

        var winner = Assert.Single(Enumerable.Range(0, 3), writer => puts[writer].Written);
        var tail = new byte[1000];
        foreach (var offset in new[] { 0, LargeLength / 2, LargeLength - tail.Length })
        {
            await Store.ReadAsync("large", offset, tail, Token);
            var expected = new byte[tail.Length];
            PatternStream.Fill(expected, offset, winner);
            Assert.Equal(expected, tail);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Put_ContentFailsOnTheWay_LeavesNothing(bool large)
    {
        var length = large ? LargeLength : 100;
        var content = new PatternStream(length) { FailsAt = length - 1 };

        await Assert.ThrowsAsync<IOException>(() => Store.PutAsync("a", content, length, PutCondition.CreateOnce, Token));

        await AssertNothingIsThereAsync("a");
    }

    [Theory]
    [InlineData(100, 99)]
    [InlineData(100, 101)]
    [InlineData(100, 0)]
    [InlineData(0, 1)]
    public async Task Put_ContentOfAnotherLength_LeavesNothing(int stated, int actual)
    {
        await Assert.ThrowsAsync<ContentMismatchException>(() =>
            Store.PutAsync("a", new PatternStream(actual), stated, PutCondition.CreateOnce, Token));

        await AssertNothingIsThereAsync("a");
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task Put_LargeContentOfAnotherLength_LeavesNothing(int more)
    {
        await Assert.ThrowsAsync<ContentMismatchException>(() =>
            Store.PutAsync("a", new PatternStream(LargeLength + more), LargeLength, PutCondition.CreateOnce, Token));

        await AssertNothingIsThereAsync("a");
    }

    [Fact]
    public async Task Put_ContentFailsOnTheWay_LeavesTheOldVersion()
    {
        var first = await PutAsync("a", [1]);
        var content = new PatternStream(100) { FailsAt = 50 };

        await Assert.ThrowsAsync<IOException>(() => Store.PutAsync("a", content, 100, PutCondition.Overwrite, Token));

        Assert.Equal([1], await GetAsync("a"));
        Assert.Equal(first.ETag, (await Store.HeadAsync("a", Token))!.ETag);
    }

    [Fact]
    public async Task Put_Cancelled_LeavesNothing()
    {
        var cancelled = new CancellationToken(canceled: true);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            Store.PutAsync("a", new PatternStream(100), 100, PutCondition.CreateOnce, cancelled));

        await AssertNothingIsThereAsync("a");
    }

    [Fact]
    public async Task Put_NegativeLength_IsRefused()
    {
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() =>
            Store.PutAsync("a", Stream.Null, -1, PutCondition.CreateOnce, Token));
    }
}
