using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using FedServerless.Storage.Presigned;
using Microsoft.Win32.SafeHandles;

namespace FedServerless.Storage.Files;

/// <summary>
/// <see cref="IObjectStore"/> over a folder. A put writes a hidden file, flushes it, then gives it its name in one atomic step
/// and flushes the folder; so half an object is never visible, and what is visible is on disk. One process per folder: hold a
/// <see cref="DataFolderLock"/>. Names map to paths one to one on every file system, whether or not it knows case.
/// </summary>
public sealed class FileObjectStore : IObjectStore
{
    private const string HiddenFolder = ".tmp";
    private const int BufferLength = 256 * 1024;
    private const int Stripes = 256;
    private const FileShare AnySharing = FileShare.ReadWrite | FileShare.Delete;

    private readonly string _hidden;
    private readonly bool _flush;
    private readonly FilePaths _paths;
    private readonly DurableFolders _folders;
    private readonly WriteClock _clock;
    private readonly PresignedUrlSigner? _signer;
    private readonly Lock[] _locks = [.. Enumerable.Range(0, Stripes).Select(_ => new Lock())];

    // Names between becoming visible and being durable. Who sees one waits: nobody acts on what a power cut could take back.
    private readonly ConcurrentDictionary<string, byte> _settling = new(StringComparer.Ordinal);

    private FileObjectStore(FileObjectStoreOptions options)
    {
        var root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.Root));
        _hidden = Path.Combine(root, HiddenFolder);
        _flush = options.FlushToDisk;
        _paths = new FilePaths(root);
        _folders = new DurableFolders(root, options.FlushToDisk);
        _clock = new WriteClock(options.Time);
        _signer = options.Signer;
    }

    /// <summary>Opens the store, creating the folder if need be, and sweeps what a crash left unfinished.</summary>
    /// <exception cref="IOException">The folder cannot be used: not writable, or its file system does not keep times to 100 ns.</exception>
    public static FileObjectStore Open(FileObjectStoreOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrWhiteSpace(options.Root);
        var store = new FileObjectStore(options);
        Directory.CreateDirectory(store._hidden);
        foreach (var left in Directory.EnumerateFiles(store._hidden))
        {
            File.Delete(left);
        }

        store.CheckFileTimes();
        if (store._flush)
        {
            FileCalls.FlushFolder(store._paths.Root);
            FileCalls.FlushFolder(Path.GetDirectoryName(store._paths.Root) ?? store._paths.Root);
        }

        return store;
    }

    /// <inheritdoc/>
    public Task<ObjectFacts?> HeadAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(Stat(name, _paths.ToFile(name)));
    }

    /// <inheritdoc/>
    public async Task<ObjectFacts?> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        using var handle = TryOpen(name, FileOptions.None);
        if (handle is null)
        {
            return null;
        }

        var facts = FactsOf(name, handle);
        ThrowIfBeyond(facts, offset, destination.Length);
        for (var done = 0; done < destination.Length;)
        {
            var read = await RandomAccess.ReadAsync(handle, destination[done..], offset + done, cancellationToken);
            done += read > 0 ? read : throw new EndOfStreamException($"'{name}' shrank while it was read.");
        }

        return facts;
    }

    /// <inheritdoc/>
    public Task<ObjectContent?> OpenAsync(string name, long offset, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        cancellationToken.ThrowIfCancellationRequested();
        var handle = TryOpen(name, FileOptions.Asynchronous | FileOptions.SequentialScan);
        if (handle is null)
        {
            return Task.FromResult<ObjectContent?>(null);
        }

        try
        {
            var facts = FactsOf(name, handle);
            ThrowIfBeyond(facts, offset, 0);
            var stream = new FileStream(handle, FileAccess.Read, bufferSize: 0, handle.IsAsync) { Position = offset };
            return Task.FromResult<ObjectContent?>(new ObjectContent(facts, stream));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<PutResult> PutAsync(string name, Stream content, long length, PutCondition condition, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        ArgumentNullException.ThrowIfNull(content);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        var path = _paths.ToFile(name);
        if (condition.Kind != PutConditionKind.Overwrite && !Holds(condition, Stat(name, path)))
        {
            return default;
        }

        var hidden = Path.Combine(_hidden, Guid.NewGuid().ToString("N"));
        try
        {
            var stamp = await WriteHiddenAsync(name, hidden, content, length, cancellationToken);
            return Publish(name, hidden, path, length, stamp, condition);
        }
        catch (IOException e) when (DiskFull.Caused(e))
        {
            throw new StoreFullException(name, e);
        }
        finally
        {
            File.Delete(hidden);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectFacts> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalidPrefix(prefix);
        await Task.CompletedTask;
        foreach (var name in FileNames.Under(_paths, prefix))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (Stat(name, _paths.ToFile(name)) is { } facts)
            {
                yield return facts;
            }
        }
    }

    /// <inheritdoc/>
    public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        cancellationToken.ThrowIfCancellationRequested();
        var path = _paths.ToFile(name);
        lock (LockOf(name))
        {
            if (!File.Exists(path))
            {
                return Task.FromResult(false);
            }

            File.Delete(path);
            _folders.FlushRemoval(Path.GetDirectoryName(path)!);
            return Task.FromResult(true);
        }
    }

    /// <inheritdoc/>
    public Task<PresignedRequest> PresignGetAsync(string name, TimeSpan validFor, CancellationToken cancellationToken) =>
        Task.FromResult(Signer.SignGet(name, validFor));

    /// <inheritdoc/>
    public Task<PresignedRequest> PresignCreateAsync(string name, long length, TimeSpan validFor, CancellationToken cancellationToken) =>
        Task.FromResult(Signer.SignCreate(name, length, validFor));

    private PresignedUrlSigner Signer =>
        _signer ?? throw new InvalidOperationException("This store has no key to sign URLs with: set FileObjectStoreOptions.Signer.");

    private async Task<DateTime> WriteHiddenAsync(string name, string hidden, Stream content, long length, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(length, 1, BufferLength));
        try
        {
            using var handle = File.OpenHandle(hidden, FileMode.CreateNew, FileAccess.Write, AnySharing);
            var reader = new ContentReader(content, length);
            long written = 0;
            do
            {
                var read = await reader.ReadAsync(buffer, cancellationToken);
                RandomAccess.Write(handle, buffer.AsSpan(0, read), written);
                written += read;
            }
            while (written < length);

            var stamp = _clock.Next();
            Stamp(handle, stamp);
            return stamp;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private PutResult Publish(string name, string hidden, string path, long length, DateTime stamp, PutCondition condition)
    {
        var folder = Path.GetDirectoryName(path)!;
        lock (LockOf(name))
        {
            var there = StatRaw(name, path);
            if (!Holds(condition, there))
            {
                return default;
            }

            if (there is not null && there.LastModified.UtcTicks >= stamp.Ticks)
            {
                // The clock went back since the last start: an ETag must never come twice.
                stamp = _clock.Next(after: there.LastModified.UtcTicks);
                using var handle = File.OpenHandle(hidden, FileMode.Open, FileAccess.Write, AnySharing);
                Stamp(handle, stamp);
            }

            _settling.TryAdd(name, 0);
            try
            {
                if (!TryName(hidden, path, folder, replace: condition.Kind != PutConditionKind.CreateOnce))
                {
                    return default;
                }

                _folders.Flush(folder);
            }
            finally
            {
                _settling.TryRemove(name, out _);
            }

            return new PutResult(true, ETagOf(stamp, length));
        }
    }

    private static bool TryName(string hidden, string path, string folder, bool replace)
    {
        // A concurrent delete may prune the folder between its creation and its use: then create it again.
        while (true)
        {
            Directory.CreateDirectory(folder);
            try
            {
                if (replace)
                {
                    FileCalls.Replace(hidden, path);
                    return true;
                }

                var publication = FileCalls.TryPublish(hidden, path);
                if (publication != FileCalls.Publication.FolderMissing)
                {
                    return publication == FileCalls.Publication.Done;
                }
            }
            catch (DirectoryNotFoundException)
            {
            }

            if (!File.Exists(hidden))
            {
                throw new IOException($"'{hidden}' vanished before it could be named '{path}': another process uses this folder.");
            }
        }
    }

    private void Stamp(SafeFileHandle handle, DateTime stamp)
    {
        File.SetLastWriteTimeUtc(handle, stamp);
        if (_flush)
        {
            RandomAccess.FlushToDisk(handle);
        }
    }

    private static bool Holds(PutCondition condition, ObjectFacts? there) => condition.Kind switch
    {
        PutConditionKind.CreateOnce => there is null,
        PutConditionKind.IfMatch => there is not null && there.ETag == condition.ETag,
        _ => true,
    };

    private SafeFileHandle? TryOpen(string name, FileOptions options)
    {
        SafeFileHandle handle;
        try
        {
            handle = File.OpenHandle(_paths.ToFile(name), FileMode.Open, FileAccess.Read, AnySharing, options);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        AwaitSettled(name);
        return handle;
    }

    private ObjectFacts? Stat(string name, string path)
    {
        var facts = StatRaw(name, path);
        if (facts is not null)
        {
            AwaitSettled(name);
        }

        return facts;
    }

    private static ObjectFacts? StatRaw(string name, string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? FactsOf(name, file.Length, file.LastWriteTimeUtc) : null;
    }

    private void AwaitSettled(string name)
    {
        if (_settling.ContainsKey(name))
        {
            lock (LockOf(name))
            {
            }
        }
    }

    private void CheckFileTimes()
    {
        var probe = Path.Combine(_hidden, Guid.NewGuid().ToString("N"));
        var time = new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc).AddTicks(1_234_567);
        try
        {
            File.WriteAllBytes(probe, []);
            File.SetLastWriteTimeUtc(probe, time);
            if (File.GetLastWriteTimeUtc(probe) != time)
            {
                throw new IOException($"The file system of '{_paths.Root}' rounds file times (FAT does), so two versions of an object could look the same. Put the data folder on ext4, xfs, btrfs, APFS or NTFS.");
            }
        }
        finally
        {
            File.Delete(probe);
        }
    }

    private Lock LockOf(string name) => _locks[(uint)string.GetHashCode(name, StringComparison.Ordinal) % Stripes];

    private static ObjectFacts FactsOf(string name, SafeFileHandle handle) =>
        FactsOf(name, RandomAccess.GetLength(handle), File.GetLastWriteTimeUtc(handle));

    private static ObjectFacts FactsOf(string name, long length, DateTime stamp) => new(name, length, ETagOf(stamp, length), stamp);

    private static string ETagOf(DateTime stamp, long length) => $"\"{stamp.Ticks:x}-{length:x}\"";

    private static void ThrowIfBeyond(ObjectFacts facts, long offset, long count)
    {
        if (offset > facts.Length - count)
        {
            throw new ObjectRangeException(facts.Name, facts.Length, checked(offset + count));
        }
    }
}
