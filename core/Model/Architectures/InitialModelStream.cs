using FedServerless.Numerics;

namespace FedServerless.Model;

/// <summary>A model file of initial weights that exists nowhere: drawn while it is read.</summary>
internal sealed class InitialModelStream(CanonicalModelFile file, InitialWeights weights) : Stream
{
    private const int ChunkValues = 16_384;

    private readonly float[] _values = new float[ChunkValues];
    private readonly byte[] _bytes = new byte[sizeof(float) * ChunkValues];
    private ReadOnlyMemory<byte> _ready = file.Header;
    private long _left = file.Layout.FloatCount;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => file.Length;

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        if (_ready.IsEmpty && _left > 0)
        {
            var count = (int)Math.Min(ChunkValues, _left);
            weights.Next(_values.AsSpan(0, count));
            LittleEndian.Write(_values.AsSpan(0, count), _bytes);
            _ready = _bytes.AsMemory(0, sizeof(float) * count);
            _left -= count;
        }

        var read = Math.Min(buffer.Length, _ready.Length);
        _ready.Span[..read].CopyTo(buffer);
        _ready = _ready[read..];
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(Read(buffer.Span));
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
