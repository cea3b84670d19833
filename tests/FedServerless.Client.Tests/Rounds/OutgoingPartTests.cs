using FedServerless.Client.Http;
using FedServerless.Client.Rounds;
using FedServerless.Client.State;
using FedServerless.Client.Tests.Support;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Client.Tests.Rounds;

public sealed class OutgoingPartTests
{
    private const int Offset = 3;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(OutgoingPart.ChunkBytes - 1)]
    [InlineData(OutgoingPart.ChunkBytes)]
    [InlineData(OutgoingPart.ChunkBytes + 1)]
    public async Task CopyToAsync_Again_SendsTheSameRange(int length)
    {
        var bytes = Enumerable.Range(0, Offset + length + 5).Select(i => (byte)(i * 31)).ToArray();
        using var part = new OutgoingPart(new MemoryStream(bytes), Offset, length, "");
        for (var time = 0; time < 2; time++)
        {
            using var target = new MemoryStream();
            var told = 0;

            await part.CopyToAsync(target, sent => told += sent, CancellationToken.None);

            Assert.True(bytes.AsSpan(Offset, length).SequenceEqual(target.ToArray()));
            Assert.Equal(length, told);
        }
    }

    [Theory]
    [InlineData(10, true)]
    [InlineData(9, false)]
    public void Open_Source_HoldsTheWholeRange(int sourceLength, bool isLongEnough)
    {
        using var source = new MemoryStream(new byte[sourceLength]);

        Assert.Equal(isLongEnough, Record.Exception(() => new OutgoingPart(source, Offset, 7, "")) is null);
    }

    // A disk that fails is no line that broke: sending again would fail again.
    [Fact]
    public async Task CopyToAsync_SourceBreaks_GivesUp()
    {
        using var source = new MemoryStream(new byte[100]);
        using var part = new OutgoingPart(source, 0, 100, "");
        source.SetLength(50);

        await Assert.ThrowsAsync<GiveUpException>(() => part.CopyToAsync(Stream.Null, _ => { }, CancellationToken.None));
    }

    // 4 MB of float32 in one part, and no array of that size: neither to hash it nor to send it.
    [Fact]
    public void Create_LargePart_IsNeverInMemoryAsAWhole()
    {
        using var device = new Device(1_000_000);
        var lease = device.Lease with { Update = new UpdateSpec { PartBytes = UpdateFormat.MaxPartBytes } };
        var shape = UpdateShape.Create(device.Start.Layout, lease.Update);
        using var state = StateFolder.Open(device.Folder);
        var folder = RoundFolder.Of(state, RoundFolder.Train, new Work(lease.Run, lease.Round, Deadline.In(device.Clock, 600)));
        var receipt = new Receipt("device", lease.Run, lease.Round, lease.Base.Digest, default, 0, 1, new Dictionary<string, double>());
        var before = GC.GetAllocatedBytesForCurrentThread();

        var update = StoredUpdate.Create(folder, lease, device.Start.Parameters, device.Start, shape, receipt, device.Clock.True, UpdateFormat.MaxPartBytes);
        using (var part = update.Open(0))
        {
            var copied = part.CopyToAsync(Stream.Null, _ => { }, CancellationToken.None);
            Assert.True(copied.IsCompletedSuccessfully);
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(update.Upload.Parts[0].Bytes >= 4_000_000);
        Assert.True(allocated < 1_000_000, $"{allocated} bytes");
    }
}
