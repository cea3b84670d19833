using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using FedServerless.Client.State;
using FedServerless.Model;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Client.Rounds;

/// <summary>An encoded update on disk: header, payload, what to ask the server for, and the receipt that will be signed.</summary>
internal sealed class StoredUpdate
{
    private const string HeaderFile = "header";
    private const string PayloadFile = "payload";
    private const string UploadFile = "upload.json";
    private const string ReceiptFile = "receipt.json";

    private readonly RoundFolder _folder;
    private readonly byte[] _header;

    private StoredUpdate(RoundFolder folder, byte[] header, UploadRequest upload, Receipt receipt)
    {
        _folder = folder;
        _header = header;
        Upload = upload;
        Receipt = receipt;
    }

    public UploadRequest Upload { get; }

    public Receipt Receipt { get; }

    public PendingReceipt Id => new(Receipt.Run, Receipt.Round, Receipt.HeaderDigest);

    /// <summary>Encodes and stores the update before any of it is sent.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="lease">The round.</param>
    /// <param name="deltas">What is to be sent of each parameter.</param>
    /// <param name="trained">The model after training: buffers and integers are sent as they are.</param>
    /// <param name="shape">How updates of this round look.</param>
    /// <param name="receipt">What to sign, but for what the encoding decides.</param>
    /// <param name="deadline">The round's deadline on the wall clock.</param>
    /// <param name="partBytes">How long its parts may be.</param>
    /// <param name="beforeKeep">
    /// Gets the receipt's id and the deltas as the server will decode them, when all is written but not yet the work's: what must be on
    /// disk before the update may be found and sent. Null for nothing.
    /// </param>
    public static StoredUpdate Create(
        RoundFolder folder, TrainLease lease, ReadOnlySpan<float> deltas, ModelState trained, UpdateShape shape, Receipt receipt,
        DateTimeOffset deadline, int partBytes, Action<PendingReceipt, float[]>? beforeKeep = null)
    {
        int? chosen = partBytes == lease.Update.PartBytes ? null : partBytes;
        var decoded = beforeKeep is null ? [] : new float[deltas.Length];
        var fresh = folder.Prepare(deadline);
        var payloadPath = Path.Combine(fresh, PayloadFile);
        UpdateHeader header;
        UploadRequest upload;
        using (var payload = new FileStream(payloadPath, StateFolder.Private(FileMode.CreateNew, FileShare.None)))
        {
            header = UpdateEncoder.EncodeDeltas(shape, lease.Base.Digest, deltas, trained.Buffers, trained.Integers, payload, decoded, lease.Seed);
            var parts = UpdateParts.Cut(header, partBytes)
                .Select(part => new UploadPart(part.Length, Md5(payload, part.Offset, part.Length))).ToArray();
            upload = new UploadRequest(header.Digest, header.Bytes.Length, parts) { PartBytes = chosen };
            payload.Flush(flushToDisk: true);
        }

        receipt = receipt with { HeaderDigest = header.Digest, Bytes = header.Bytes.Length + header.PayloadLength, PartBytes = chosen };
        StateFolder.WriteWhole(Path.Combine(fresh, HeaderFile), header.Bytes.Span);
        StateFolder.WriteWhole(Path.Combine(fresh, UploadFile), JsonSerializer.SerializeToUtf8Bytes(upload, WireJson.Default.UploadRequest));
        StateFolder.WriteWhole(Path.Combine(fresh, ReceiptFile), JsonSerializer.SerializeToUtf8Bytes(receipt, WireJson.Default.Receipt));
        beforeKeep?.Invoke(new PendingReceipt(receipt.Run, receipt.Round, header.Digest), decoded);
        folder.Keep();
        return new StoredUpdate(folder, header.Bytes.ToArray(), upload, receipt);
    }

    /// <summary>The update an earlier process stored for this lease; null when there is none, or it is damaged, or starts elsewhere.</summary>
    public static StoredUpdate? Find(RoundFolder folder, TrainLease lease, string client)
    {
        try
        {
            if (!File.Exists(folder.File(ReceiptFile)))
            {
                return null;
            }

            var header = File.ReadAllBytes(folder.File(HeaderFile));
            var upload = JsonSerializer.Deserialize(File.ReadAllBytes(folder.File(UploadFile)), WireJson.Default.UploadRequest);
            var receipt = JsonSerializer.Deserialize(File.ReadAllBytes(folder.File(ReceiptFile)), WireJson.Default.Receipt);
            if (upload is null || receipt is null || receipt.BaseDigest != lease.Base.Digest || receipt.Client != client
                || Digest.Of(header) != upload.HeaderDigest || receipt.HeaderDigest != upload.HeaderDigest)
            {
                return null;
            }

            var update = new StoredUpdate(folder, header, upload, receipt);
            return update.IsWhole() ? update : null;
        }
        catch (Exception problem) when (problem is IOException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Opens one part, or the header for −1, to be sent; its MD5 is as it was when encoded.</summary>
    /// <exception cref="IOException">The payload cannot be read, or is shorter than it was.</exception>
    public OutgoingPart Open(int part)
    {
        if (part == -1)
        {
            return new OutgoingPart(new MemoryStream(_header, writable: false), 0, _header.Length, Convert.ToBase64String(CryptographicOperations.HashData(HashAlgorithmName.MD5, _header)));
        }

        var payload = OpenPayload();
        try
        {
            return new OutgoingPart(payload, Offset(part), Upload.Parts[part].Bytes, Upload.Parts[part].ContentMd5);
        }
        catch
        {
            payload.Dispose();
            throw;
        }
    }

    private bool IsWhole()
    {
        using var payload = OpenPayload();
        return payload.Length == Offset(Upload.Parts.Count)
            && Enumerable.Range(0, Upload.Parts.Count)
                .All(part => Md5(payload, Offset(part), Upload.Parts[part].Bytes) == Upload.Parts[part].ContentMd5);
    }

    private FileStream OpenPayload() => new(_folder.File(PayloadFile), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, useAsync: false);

    private long Offset(int part) => Upload.Parts.Take(part).Sum(before => (long)before.Bytes);

    // What object stores check uploads with (Content-MD5). Nothing here relies on it against an attacker: the header's SHA-256 does that. A part may be
    // 8 MiB long, and a device's memory is short: it passes through a small buffer.
    private static string Md5(FileStream payload, long offset, int length)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        var buffer = ArrayPool<byte>.Shared.Rent(OutgoingPart.ChunkBytes);
        payload.Position = offset;
        for (var left = length; left > 0;)
        {
            var count = Math.Min(OutgoingPart.ChunkBytes, left);
            payload.ReadExactly(buffer, 0, count);
            hash.AppendData(buffer, 0, count);
            left -= count;
        }

        ArrayPool<byte>.Shared.Return(buffer);
        return Convert.ToBase64String(hash.GetHashAndReset());
    }
}
