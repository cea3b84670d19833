using System.Runtime.CompilerServices;
using FedServerless.Capacity;
using FedServerless.Storage;

namespace FedServerless.Activities.Metering;

/// <summary>
/// A store whose requests are counted as Azure's blob service counts them: a put of up to a block is one write, a longer one a write a
/// block and one more; a listing is a request a page.
/// </summary>
public sealed class MeteredStore(IObjectStore inner, bool isOwner) : IObjectStore, IDisposable
{
    /// <summary>Bytes of a block of a long put.</summary>
    public const long BlockBytes = 8L << 20;

    /// <summary>Objects of a listing's page.</summary>
    public const int PageObjects = 5000;

    /// <summary>The store whose requests are counted.</summary>
    public IObjectStore Inner => inner;

    /// <inheritdoc/>
    public Task<ObjectFacts?> HeadAsync(string name, CancellationToken cancellationToken)
    {
        UsageMeter.Record(new ResourceUsage(Reads: 1));
        return inner.HeadAsync(name, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<ObjectFacts?> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        UsageMeter.Record(new ResourceUsage(Reads: 1, BytesRead: destination.Length));
        return inner.ReadAsync(name, offset, destination, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<ObjectContent?> OpenAsync(string name, long offset, CancellationToken cancellationToken)
    {
        var content = await inner.OpenAsync(name, offset, cancellationToken);
        UsageMeter.Record(new ResourceUsage(Reads: 1, BytesRead: content is null ? 0 : content.Facts.Length - offset));
        return content;
    }

    /// <inheritdoc/>
    public Task<PutResult> PutAsync(string name, Stream content, long length, PutCondition condition, CancellationToken cancellationToken)
    {
        UsageMeter.Record(new ResourceUsage(Writes: length <= BlockBytes ? 1 : ((length + BlockBytes - 1) / BlockBytes) + 1, BytesWritten: length));
        return inner.PutAsync(name, content, length, condition, cancellationToken);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectFacts> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        UsageMeter.Record(new ResourceUsage(Lists: 1));
        var count = 0L;
        await foreach (var facts in inner.ListAsync(prefix, cancellationToken))
        {
            if (count > 0 && count % PageObjects == 0)
            {
                UsageMeter.Record(new ResourceUsage(Lists: 1));
            }

            count++;
            yield return facts;
        }
    }

    /// <inheritdoc/>
    public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        UsageMeter.Record(new ResourceUsage(Deletes: 1));
        return inner.DeleteAsync(name, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<PresignedRequest> PresignGetAsync(string name, TimeSpan validFor, CancellationToken cancellationToken) =>
        inner.PresignGetAsync(name, validFor, cancellationToken);

    /// <inheritdoc/>
    public Task<PresignedRequest> PresignCreateAsync(string name, long length, TimeSpan validFor, CancellationToken cancellationToken) =>
        inner.PresignCreateAsync(name, length, validFor, cancellationToken);

    /// <summary>Disposes the store behind it where it is this one's to dispose.</summary>
    public void Dispose()
    {
        if (isOwner)
        {
            (inner as IDisposable)?.Dispose();
        }
    }
}
