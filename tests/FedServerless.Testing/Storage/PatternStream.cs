namespace FedServerless.Testing.Storage;

/// <summary>
/// A content stream that nobody can rewind or measure: byte i is <c>(i * 131 + seed) mod 251</c>. It can end early, go on too
/// long, or fail on the way.
/// </summary>
public sealed class PatternStream(long length, int seed = 0) : Stream
{
    private long _position;

    /// <summary>Throws an <see cref="IOException"/> once this many bytes were read. Default: never.</summary>
    public long? FailsAt { get; init; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public static byte[] Bytes(int length, int seed = 0)
    {
        var bytes = new byte[length];
        Fill(bytes, 0, seed);
        return bytes;
    }

    /// <summary>Fills <paramref name="bytes"/> with the pattern from <paramref name="offset"/> on.</summary>
    public static void Fill(Span<byte> bytes, long offset, int seed)
    {
        var value = (int)(((offset % 251 * 131) + seed) % 251);
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)value;
            value = (value + 131) % 251;
        }
    }

    public override int Read(Span<byte> buffer)
    {
        if (_position >= FailsAt)
        {
            throw new IOException("The content failed on the way.");
        }

        var count = (int)Math.Min(buffer.Length, Math.Min(length, FailsAt ?? length) - _position);
        Fill(buffer[..count], _position, seed);
        _position += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new ValueTask<int>(Read(buffer.Span));
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
