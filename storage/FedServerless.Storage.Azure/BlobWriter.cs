using System.Buffers;
using System.Globalization;
using System.Text;
using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace FedServerless.Storage.Azure;

/// <summary>
/// One put. The content is read into buffers of one block, so that the SDK can send each again after a network failure though
/// the content itself cannot be read twice; two buffers bound the memory.
/// </summary>
internal sealed class BlobWriter(BlockBlobClient blob, int blockLength)
{
    /// <summary>The metadata key of the identity of a write.</summary>
    private const string WriteIdKey = "fedwrite";

    private readonly string _writeId = Guid.NewGuid().ToString("N");

    private IDictionary<string, string> Metadata => new Dictionary<string, string> { [WriteIdKey] = _writeId };

    internal async Task<PutResult> WriteAsync(Stream content, long length, PutCondition condition, CancellationToken cancellationToken)
    {
        var reader = new ContentReader(content, length);
        var conditions = new BlobRequestConditions();
        if (condition.Kind == PutConditionKind.CreateOnce)
        {
            conditions.IfNoneMatch = ETag.All;
        }
        else if (condition.Kind == PutConditionKind.IfMatch)
        {
            conditions.IfMatch = new ETag(condition.ETag!);
        }

        try
        {
            var written = length <= blockLength
                ? await PutWholeAsync(reader, (int)length, conditions, cancellationToken)
                : await PutBlocksAsync(reader, length, conditions, cancellationToken);
            return new PutResult(true, BlobFacts.Quote(written.ETag));
        }
        catch (RequestFailedException e) when (condition.Kind != PutConditionKind.Overwrite && MayMeanConditionFailed(e))
        {
            return await ExplainAsync(e, condition, cancellationToken);
        }
    }

    private async Task<BlobContentInfo> PutWholeAsync(ContentReader reader, int length, BlobRequestConditions conditions, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Max(1, length));
        try
        {
            await reader.ReadAsync(buffer.AsMemory(0, length), cancellationToken);
            var options = new BlobUploadOptions { Conditions = conditions, Metadata = Metadata };
            return await blob.UploadAsync(Slice(buffer, length), options, cancellationToken);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobAlreadyExists)
        {
            if (await AzureBlobStore.TryGetPropertiesAsync(blob, cancellationToken) is not null)
            {
                throw;
            }

            // Azurite takes blocks that somebody staged and never committed for a blob, and would refuse for ever. A commit
            // under the same condition is not taken in.
            var id = BlockId(0);
            await blob.StageBlockAsync(id, Slice(buffer, length), cancellationToken: cancellationToken);
            return await CommitAsync([id], conditions, cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task<BlobContentInfo> PutBlocksAsync(ContentReader reader, long length, BlobRequestConditions conditions, CancellationToken cancellationToken)
    {
        byte[][] buffers = [ArrayPool<byte>.Shared.Rent(blockLength), ArrayPool<byte>.Shared.Rent(blockLength)];
        var ids = new List<string>();
        var staging = Task.CompletedTask;
        try
        {
            for (long done = 0; done < length;)
            {
                // One block is on its way while the next is read into the other buffer.
                var buffer = buffers[ids.Count % 2];
                var read = await reader.ReadAsync(buffer.AsMemory(0, blockLength), cancellationToken);
                done += read;
                await staging;
                ids.Add(BlockId(ids.Count));
                staging = blob.StageBlockAsync(ids[^1], Slice(buffer, read), cancellationToken: cancellationToken);
            }

            await staging;
            return await CommitAsync(ids, conditions, cancellationToken);
        }
        finally
        {
            // The buffers may go back to the pool only when nothing reads them any more.
            await staging.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Array.ForEach(buffers, buffer => ArrayPool<byte>.Shared.Return(buffer));
        }
    }

    private async Task<BlobContentInfo> CommitAsync(IEnumerable<string> ids, BlobRequestConditions conditions, CancellationToken cancellationToken) =>
        await blob.CommitBlockListAsync(ids, new CommitBlockListOptions { Conditions = conditions, Metadata = Metadata }, cancellationToken);

    private static MemoryStream Slice(byte[] buffer, int length) => new(buffer, 0, length, writable: false);

    // Unique to this write: blocks that two writers stage under one name must never mix. Azure wants ids of equal length.
    private string BlockId(int index) =>
        Convert.ToBase64String(Encoding.ASCII.GetBytes(_writeId + index.ToString("D6", CultureInfo.InvariantCulture)));

    /// <summary>
    /// "Condition not met" in its spellings. InvalidBlockList is one: the winner's commit discards the blocks that a loser
    /// has staged under the same name. BlobNotFound answers If-Match on what is absent.
    /// </summary>
    private static bool MayMeanConditionFailed(RequestFailedException e) =>
        e.ErrorCode == BlobErrorCode.BlobAlreadyExists
        || e.ErrorCode == BlobErrorCode.ConditionNotMet
        || e.ErrorCode == BlobErrorCode.BlobNotFound
        || e.ErrorCode == BlobErrorCode.InvalidBlockList;

    private async Task<PutResult> ExplainAsync(RequestFailedException refusal, PutCondition condition, CancellationToken cancellationToken)
    {
        var there = await AzureBlobStore.TryGetPropertiesAsync(blob, cancellationToken);
        if (there is not null && there.Metadata.TryGetValue(WriteIdKey, out var writer) && writer == _writeId)
        {
            // The first attempt was written and its answer lost; the SDK's second attempt met our own object.
            return new PutResult(true, BlobFacts.Quote(there.ETag));
        }

        var holds = condition.Kind == PutConditionKind.CreateOnce
            ? there is null
            : there is not null && BlobFacts.Quote(there.ETag) == condition.ETag;
        if (holds && refusal.ErrorCode == BlobErrorCode.InvalidBlockList)
        {
            throw new IOException($"The blocks of '{blob.Name}' were discarded by another writer that did not finish; try again.", refusal);
        }

        return default;
    }
}
