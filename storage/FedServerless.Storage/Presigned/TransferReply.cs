using System.Buffers;

namespace FedServerless.Storage.Presigned;

/// <summary>What to answer. The caller copies status and headers, then the body, and disposes the reply.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Headers">The headers, <c>Content-Length</c> of a body included.</param>
/// <param name="Detail">For a refusal one sentence for its problem details, else null.</param>
public sealed record TransferReply(int Status, IReadOnlyDictionary<string, string> Headers, string? Detail) : IAsyncDisposable
{
    private const int BufferLength = 128 * 1024;

    internal ObjectContent? Content { get; init; }

    internal long BodyLength { get; init; }

    /// <summary>Writes the body, if there is one: exactly as many bytes as <c>Content-Length</c> says.</summary>
    public async Task CopyBodyToAsync(Stream destination, CancellationToken cancellationToken)
    {
        if (Content is null)
        {
            return;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(BufferLength);
        try
        {
            for (var left = BodyLength; left > 0;)
            {
                var read = await Content.Stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)), cancellationToken);
                if (read == 0)
                {
                    throw new EndOfStreamException($"'{Content.Facts.Name}' ended {left} bytes early.");
                }

                await destination.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                left -= read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Content?.DisposeAsync() ?? ValueTask.CompletedTask;
}
