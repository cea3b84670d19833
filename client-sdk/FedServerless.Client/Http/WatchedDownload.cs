using System.Net;
using FedServerless.Client.Adaptivity;

namespace FedServerless.Client.Http;

/// <summary>What is told of the bytes of one download.</summary>
internal sealed class Watcher(DeviceMeter meter, Willingness willing, TimeProvider time)
{
    private readonly long _began = time.GetTimestamp();
    private long _bytes;
    private bool _isOver;

    /// <summary>So many bytes came; 0 at the end.</summary>
    public void Count(int bytes)
    {
        if (bytes == 0)
        {
            End(broke: false);
            return;
        }

        // A length that was told is looked at before; of a body without one this is the only bound.
        willing.RequireBytes(bytes);
        _bytes += bytes;
    }

    /// <summary>The body has ended, or was left.</summary>
    public void End(bool broke)
    {
        if (_isOver)
        {
            return;
        }

        _isOver = true;
        meter.Received(_bytes, time.GetElapsedTime(_began));
        if (broke)
        {
            meter.Broke();
        }
    }
}

/// <summary>The body of a response, counted while it is read.</summary>
internal sealed class WatchedDownload : HttpContent
{
    private readonly HttpContent _inner;
    private readonly Watcher _watcher;

    public WatchedDownload(HttpContent inner, Watcher watcher)
    {
        (_inner, _watcher) = (inner, watcher);
        foreach (var header in inner.Headers)
        {
            Headers.TryAddWithoutValidation(header.Key, header.Value);
        }
    }

    protected override async Task<Stream> CreateContentReadStreamAsync() => new WatchedStream(await _inner.ReadAsStreamAsync().ConfigureAwait(false), _watcher);

    protected override async Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) =>
        new WatchedStream(await _inner.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false), _watcher);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        using var source = await CreateContentReadStreamAsync().ConfigureAwait(false);
        await source.CopyToAsync(stream).ConfigureAwait(false);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private sealed class WatchedStream(Stream inner, Watcher watcher) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            try
            {
                var read = inner.Read(buffer, offset, count);
                watcher.Count(read);
                return read;
            }
            catch (Exception problem) when (IsBreak(problem))
            {
                watcher.End(broke: true);
                throw;
            }
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                var read = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
                watcher.Count(read);
                return read;
            }
            catch (Exception problem) when (IsBreak(problem))
            {
                watcher.End(broke: true);
                throw;
            }
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                watcher.End(broke: false);
                inner.Dispose();
            }

            base.Dispose(disposing);
        }

        // Silence ends a request by cancelling it.
        private static bool IsBreak(Exception problem) => problem is IOException or HttpRequestException or OperationCanceledException;
    }
}
