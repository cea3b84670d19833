using System.Security.Cryptography;
using FedServerless.Storage;
using FedServerless.Wire;

namespace FedServerless.Activities.Models;

/// <summary>A file made of a header and stored slices, one after another, hashed on the way; constant memory. Read once, forwards.</summary>
internal sealed class SliceStream : Stream
{
    private readonly IObjectStore _store;
    private readonly Queue<string> _slices;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private Stream _current;

    public SliceStream(IObjectStore store, ReadOnlyMemory<byte> header, IEnumerable<string> slices)
    {
        _store = store;
        _slices = new Queue<string>(slices);
        _current = new MemoryStream(header.ToArray(), writable: false);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>SHA-256 of what was read since the beginning.</summary>
    public Digest ReadDigest() => Digest.FromBytes(_hash.GetCurrentHash());

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var read = await _current.ReadAsync(buffer, cancellationToken);
            if (read > 0 || buffer.Length == 0)
            {
                _hash.AppendData(buffer.Span[..read]);
                return read;
            }

            if (!_slices.TryDequeue(out var slice))
            {
                return 0;
            }

            await _current.DisposeAsync();
            var content = await _store.OpenAsync(slice, 0, cancellationToken) ?? throw new InvalidDataException($"Slice '{slice}' does not exist.");
            _current = content.Stream;
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Read it asynchronously.");

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
            _current.Dispose();
            _hash.Dispose();
        }

        base.Dispose(disposing);
    }
}
