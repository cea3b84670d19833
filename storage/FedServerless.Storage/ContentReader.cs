namespace FedServerless.Storage;

/// <summary>
/// Reads the content of a put in pieces and holds it to its stated length. The last piece is handed out only after the
/// stream has been seen to end, so a content stream that checks a hash at its end is heard before anything is visible.
/// </summary>
public sealed class ContentReader(Stream content, long length)
{
    private readonly byte[] _beyond = new byte[1];
    private long _done;

    /// <summary>Fills <paramref name="buffer"/> as far as the content goes.</summary>
    /// <returns>The bytes read: the buffer's length, less at the end, zero after it.</returns>
    /// <exception cref="ContentMismatchException">The content is shorter or longer than was stated.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var wanted = (int)Math.Min(buffer.Length, length - _done);
        var read = await content.ReadAtLeastAsync(buffer[..wanted], wanted, throwOnEndOfStream: false, cancellationToken);
        if (read < wanted)
        {
            throw new ContentMismatchException($"The content ended after {_done + read} of {length} bytes.");
        }

        _done += read;
        if (_done == length && await content.ReadAsync(_beyond, cancellationToken) != 0)
        {
            throw new ContentMismatchException($"The content is longer than the {length} bytes stated.");
        }

        return read;
    }
}
