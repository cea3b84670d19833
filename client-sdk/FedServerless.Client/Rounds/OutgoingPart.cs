using System.Buffers;
using FedServerless.Client.Http;

namespace FedServerless.Client.Rounds;

/// <summary>A range of a stored update on its way out, read as it is sent: a part may be 8 MiB long, which no device should hold twice.</summary>
internal sealed class OutgoingPart : IDisposable
{
    /// <summary>Bytes that are read and sent at a time.</summary>
    public const int ChunkBytes = 64 * 1024;

    private readonly Stream _source;
    private readonly long _offset;

    /// <exception cref="EndOfStreamException">The source is too short.</exception>
    public OutgoingPart(Stream source, long offset, int length, string md5)
    {
        (_source, _offset, Length, Md5) = (source, offset, length, md5);
        if (source.Length < offset + length)
        {
            throw new EndOfStreamException($"the stored update has {source.Length} bytes; {offset + length} were written");
        }
    }

    public int Length { get; }

    /// <summary>Of its bytes as they were encoded, in base64.</summary>
    public string Md5 { get; }

    /// <summary>Sends it, from its beginning each time.</summary>
    /// <param name="target">Where to.</param>
    /// <param name="sent">Told what has gone.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="GiveUpException">The stored bytes cannot be read: no fault of the line, which would be tried again.</exception>
    public async Task CopyToAsync(Stream target, Action<int> sent, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            _source.Position = _offset;
            for (var left = Length; left > 0;)
            {
                var count = Math.Min(ChunkBytes, left);
                Read(buffer.AsSpan(0, count));
                await target.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
                sent(count);
                left -= count;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public void Dispose() => _source.Dispose();

    private void Read(Span<byte> chunk)
    {
        try
        {
            _source.ReadExactly(chunk);
        }
        catch (IOException problem)
        {
            throw new GiveUpException($"the state folder cannot be used: {problem.Message}", problem);
        }
    }
}
