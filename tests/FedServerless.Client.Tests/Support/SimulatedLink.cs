using System.Net.Http.Headers;

namespace FedServerless.Client.Tests.Support;

/// <summary>A line in front of a server: so many bytes a second, so long to the first of them, and it breaks. Time passes on the test's clock alone.</summary>
internal sealed class SimulatedLink(HttpMessageHandler server, TestClock clock) : DelegatingHandler(server)
{
    private long _untilBreak = long.MaxValue;

    public double BytesPerSecond { get; set; } = double.PositiveInfinity;

    public TimeSpan Latency { get; set; }

    /// <summary>Bytes of bodies that get through until the next break; asked after each.</summary>
    public Func<long> NextBreak
    {
        set
        {
            field = value;
            _untilBreak = value();
        }
        get;
    } = () => long.MaxValue;

    public int Breaks { get; private set; }

    /// <summary>Bytes of bodies that left the device, those of broken requests included.</summary>
    public long Sent { get; private set; }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Content is { } content)
        {
            var arrived = new MemoryStream();
            await content.CopyToAsync(new Pipe(this, arrived), cancellationToken);
            request.Content = Copy(content.Headers, new ByteArrayContent(arrived.ToArray()));
        }

        clock.Advance(Latency);
        cancellationToken.ThrowIfCancellationRequested();
        var response = await base.SendAsync(request, cancellationToken);
        var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        response.Content = Copy(response.Content.Headers, new StreamContent(new Source(this, body)));
        return response;
    }

    private static HttpContent Copy(HttpContentHeaders headers, HttpContent content)
    {
        foreach (var header in headers)
        {
            content.Headers.TryAddWithoutValidation(header.Key, header.Value);
        }

        return content;
    }

    /// <summary>Lets as many of the bytes through as come before the next break; fewer than all means that it is now.</summary>
    private int Pass(int bytes)
    {
        var through = (int)Math.Min(bytes, _untilBreak);
        _untilBreak -= through;
        clock.Advance(TimeSpan.FromSeconds(through / BytesPerSecond));
        if (through < bytes)
        {
            Breaks++;
            _untilBreak = NextBreak();
        }

        return through;
    }

    private sealed class Pipe(SimulatedLink link, Stream target) : OneWayStream
    {
        public override bool CanWrite => true;

        public override void Write(byte[] buffer, int offset, int count)
        {
            var through = link.Pass(count);
            link.Sent += through;
            if (through < count)
            {
                throw new IOException("The connection was reset.");
            }

            target.Write(buffer, offset, count);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Write(buffer.ToArray(), 0, buffer.Length);
            cancellationToken.ThrowIfCancellationRequested();
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Source(SimulatedLink link, byte[] content) : OneWayStream
    {
        private int _position;
        private bool _isBroken;

        public override bool CanRead => true;

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (_isBroken)
            {
                throw new IOException("The connection was reset.");
            }

            var wanted = Math.Min(count, content.Length - _position);
            var through = link.Pass(wanted);
            content.AsSpan(_position, through).CopyTo(buffer.AsSpan(offset));
            _position += through;
            _isBroken = through < wanted;
            return through > 0 || wanted == 0 ? through : Read(buffer, offset, count);
        }
    }

    private abstract class OneWayStream : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
