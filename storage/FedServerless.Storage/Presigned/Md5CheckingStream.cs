using System.Security.Cryptography;

namespace FedServerless.Storage.Presigned;

/// <summary>
/// Passes a content stream through and compares its MD5 (the hash of the <c>Content-MD5</c> header; it guards against
/// accidents, not attackers) when it ends. A put learns of the end before it makes anything visible.
/// </summary>
public sealed class Md5CheckingStream : Stream
{
    private readonly Stream _inner;
    private readonly byte[] _expected;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
    private bool _ended;

    /// <summary>Wraps a stream. It is not disposed with this one.</summary>
    /// <param name="inner">The content.</param>
    /// <param name="expected">Its MD5: 16 bytes.</param>
    public Md5CheckingStream(Stream inner, ReadOnlySpan<byte> expected)
    {
        ArgumentNullException.ThrowIfNull(inner);
        ArgumentOutOfRangeException.ThrowIfNotEqual(expected.Length, MD5.HashSizeInBytes, nameof(expected));
        _inner = inner;
        _expected = expected.ToArray();
    }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    /// <exception cref="ContentMismatchException">The content has ended and has another hash.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await _inner.ReadAsync(buffer, cancellationToken);
        Observe(buffer.Span[..read], ended: read == 0 && buffer.Length > 0);
        return read;
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    /// <exception cref="ContentMismatchException">The content has ended and has another hash.</exception>
    public override int Read(byte[] buffer, int offset, int count)
    {
        var read = _inner.Read(buffer, offset, count);
        Observe(buffer.AsSpan(offset, read), ended: read == 0 && count > 0);
        return read;
    }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _hash.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Observe(ReadOnlySpan<byte> bytes, bool ended)
    {
        _hash.AppendData(bytes);
        if (ended && !_ended)
        {
            _ended = true;
            if (!_hash.GetHashAndReset().AsSpan().SequenceEqual(_expected))
            {
                throw new ContentMismatchException($"The content does not have the MD5 {Convert.ToBase64String(_expected)} that its header states.");
            }
        }
    }
}
