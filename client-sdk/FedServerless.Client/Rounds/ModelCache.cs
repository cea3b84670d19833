using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using FedServerless.Client.Http;
using FedServerless.Client.State;
using FedServerless.Client.Telemetry;
using FedServerless.Wire;

namespace FedServerless.Client.Rounds;

/// <summary>
/// Models on disk by digest. What is not here is downloaded into a <c>.part</c> file that survives lost connections and restarts;
/// every use verifies every byte.
/// </summary>
internal sealed class ModelCache(
    StateFolder folder, HttpClient http, ServerUrls urls, FedClientOptions options, RetryPolicy retries, ClientEvents events)
{
    /// <summary>Times a whole download may turn out to be something else than promised.</summary>
    public const int MaxMismatches = 2;

    /// <summary>Times an expired URL is replaced for one artifact.</summary>
    public const int MaxRefreshes = 3;

    private const int ChunkBytes = 64 * 1024;
    private const int ReportBytes = 1 << 20;
    private const string PartSuffix = ".part";

    /// <summary>The path of the verified artifact.</summary>
    /// <param name="artifact">What to get.</param>
    /// <param name="work">What it is for.</param>
    /// <param name="refresh">Asks the server for the same artifact with a fresh URL; throws when there is none any more.</param>
    /// <param name="cancellationToken">Stops; what has arrived stays.</param>
    public async Task<string> GetAsync(
        ModelArtifact artifact, Work work, Func<CancellationToken, Task<ModelArtifact>> refresh, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder.Models, artifact.Digest.ToString());
        var cached = await IsAsync(path, artifact, cancellationToken).ConfigureAwait(false);
        if (!cached)
        {
            File.Delete(path);
            await DownloadAsync(path, artifact, work, refresh, cancellationToken).ConfigureAwait(false);
        }

        // The write time is the time of last use; Prune drops the oldest.
        File.SetLastWriteTimeUtc(path, options.TimeProvider.GetUtcNow().UtcDateTime);
        Prune(path);
        events.Report(new Downloaded(work.Run, work.Round, artifact.Bytes, cached));
        return path;
    }

    private async Task DownloadAsync(
        string path, ModelArtifact artifact, Work work, Func<CancellationToken, Task<ModelArtifact>> refresh, CancellationToken cancellationToken)
    {
        var part = path + PartSuffix;
        for (var mismatches = 0; ;)
        {
            await FillAsync(part, artifact, work, refresh, cancellationToken).ConfigureAwait(false);
            if (await IsAsync(part, artifact, cancellationToken).ConfigureAwait(false))
            {
                File.Move(part, path, overwrite: true);
                return;
            }

            File.Delete(part);
            if (++mismatches >= MaxMismatches)
            {
                throw new GiveUpException($"the model downloaded {mismatches} times is not the one promised: its SHA-256 is not {artifact.Digest}");
            }
        }
    }

    private async Task FillAsync(
        string part, ModelArtifact artifact, Work work, Func<CancellationToken, Task<ModelArtifact>> refresh, CancellationToken cancellationToken)
    {
        using var file = new FileStream(part, StateFolder.Private(FileMode.OpenOrCreate, FileShare.None));
        if (file.Length > artifact.Bytes)
        {
            file.SetLength(0);
        }

        var refreshes = 0;
        var url = urls.PreSigned(artifact.Url);
        while (file.Length < artifact.Bytes)
        {
            try
            {
                var target = url;
                var interruption = await retries.RunAsync(
                    "download", work.Deadline, token => FetchAsync(file, target, artifact.Bytes, work, token), cancellationToken).ConfigureAwait(false);
                await PauseAsync(interruption, work, cancellationToken).ConfigureAwait(false);
            }
            catch (UrlExpiredException expired) when (++refreshes > MaxRefreshes)
            {
                throw new GiveUpException($"the model cannot be downloaded: {expired.Message} to {refreshes} URLs", expired);
            }
            catch (UrlExpiredException)
            {
                var fresh = await refresh(cancellationToken).ConfigureAwait(false);
                url = urls.PreSigned(fresh.Url);
            }
        }

        file.Flush(flushToDisk: true);
    }

    /// <summary>A connection that was lost after it had brought something is a first failure each time, however often it happens.</summary>
    private async Task PauseAsync(TransientException? interruption, Work work, CancellationToken cancellationToken)
    {
        if (interruption is null)
        {
            return;
        }

        var pause = retries.Backoff(1);
        if (pause >= work.Deadline.Remaining)
        {
            throw new FedClientException($"download failed: {interruption.Message}.", interruption) { IsTransient = true };
        }

        events.Retry("download", 1, pause, interruption.Message);
        await retries.DelayAsync(pause, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>One GET from where the file ends. Null when the artifact is complete, else what interrupted it after it had brought something.</summary>
    private async Task<TransientException?> FetchAsync(FileStream file, Uri url, long total, Work work, CancellationToken cancellationToken)
    {
        using var silence = new Silence(options.RequestTimeout, options.TimeProvider, cancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        if (file.Length > 0)
        {
            request.Headers.Range = new RangeHeaderValue(file.Length, null);
        }

        using var response = await silence
            .GuardAsync(token => http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token)).ConfigureAwait(false);
        PlaceAnswer(file, response, total);
        var start = file.Length;
        try
        {
            await ReceiveAsync(file, response, total, silence, work).ConfigureAwait(false);
            return null;
        }
        catch (TransientException interruption) when (file.Length > start)
        {
            return interruption;
        }
    }

    /// <summary>Decides from status and headers where the body belongs, and leaves the file ending there.</summary>
    private void PlaceAnswer(FileStream file, HttpResponseMessage response, long total)
    {
        var status = (int)response.StatusCode;
        switch (response.StatusCode)
        {
            case HttpStatusCode.OK:
                file.SetLength(0);
                break;
            case HttpStatusCode.PartialContent when response.Content.Headers.ContentRange is { } range
                && range.From == file.Length && (range.Length ?? total) == total:
                break;
            case HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable:
                file.SetLength(0);
                throw new TransientException($"the store answered {status} with another range than asked for");
            default:
                throw Answers.MayPass(status)
                    ? new TransientException($"the store answered {status}", Answers.RetryAfter(response, options.TimeProvider.GetUtcNow()))
                    : new UrlExpiredException(status);
        }

        if (response.Content.Headers.ContentLength is { } announced && announced > total - file.Length)
        {
            throw TooLong(total);
        }

        file.Seek(0, SeekOrigin.End);
    }

    private async Task ReceiveAsync(FileStream file, HttpResponseMessage response, long total, Silence silence, Work work)
    {
        var buffer = new byte[ChunkBytes];
        var reported = file.Length;
        using var body = await silence.GuardAsync(response.Content.ReadAsStreamAsync).ConfigureAwait(false);
        while (true)
        {
            var read = await silence.GuardAsync(token => body.ReadAsync(buffer, token).AsTask()).ConfigureAwait(false);
            if (read == 0)
            {
                break;
            }

            events.CountDown(read);
            if (read > total - file.Length)
            {
                throw TooLong(total);
            }

            await file.WriteAsync(buffer.AsMemory(0, read), silence.Token).ConfigureAwait(false);
            if (file.Length - reported >= ReportBytes)
            {
                reported = file.Length;
                events.Report(new Downloading(work.Run, work.Round, reported, total));
            }
        }

        if (file.Length < total)
        {
            throw new TransientException($"the store sent {file.Length} of {total} bytes");
        }
    }

    private static GiveUpException TooLong(long total) => new($"the store sends more than the {total} bytes that the lease names");

    private static async Task<bool> IsAsync(string path, ModelArtifact artifact, CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        return file.Length == artifact.Bytes
            && Digest.FromBytes(await SHA256.HashDataAsync(file, cancellationToken).ConfigureAwait(false)) == artifact.Digest;
    }

    private void Prune(string inUse)
    {
        var old = new DirectoryInfo(folder.Models).GetFiles()
            .Where(file => file.FullName != inUse)
            .OrderByDescending(file => file.LastWriteTimeUtc)
            .ThenBy(file => file.Name, StringComparer.Ordinal)
            .Skip(options.CachedModels - 1);
        foreach (var file in old)
        {
            file.Delete();
        }
    }
}
