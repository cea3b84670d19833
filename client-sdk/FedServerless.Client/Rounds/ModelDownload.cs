using System.Net;
using System.Net.Http.Headers;
using FedServerless.Client.Http;
using FedServerless.Client.Telemetry;
using FedServerless.Wire;

namespace FedServerless.Client.Rounds;

/// <summary>Fills one file with one artifact, from wherever the file ends, however often the connection is lost.</summary>
internal sealed class ModelDownload(
    FileStream file, ModelArtifact artifact, Work work, HttpClient http, ServerUrls urls, FedClientOptions options, RetryPolicy retries, ClientEvents events)
{
    /// <summary>Times an expired URL is replaced.</summary>
    public const int MaxRefreshes = 3;

    private const int ChunkBytes = 64 * 1024;
    private const int ReportBytes = 1 << 20;

    private int _restarts;

    /// <param name="refresh">Asks the server for the same artifact with a fresh URL; throws when there is none any more.</param>
    /// <param name="cancellationToken">Stops; what has arrived stays.</param>
    /// <exception cref="GiveUpException">The store does not have what the lease promises.</exception>
    public async Task CompleteAsync(Func<CancellationToken, Task<ModelArtifact>> refresh, CancellationToken cancellationToken)
    {
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
                    "download", work.Deadline, token => FetchAsync(target, token), cancellationToken).ConfigureAwait(false);
                await PauseAsync(interruption, cancellationToken).ConfigureAwait(false);
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
    private async Task PauseAsync(TransientException? interruption, CancellationToken cancellationToken)
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
    private async Task<TransientException?> FetchAsync(Uri url, CancellationToken cancellationToken)
    {
        using var silence = new Silence(options.RequestTimeout, options.TimeProvider, cancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        if (file.Length > 0)
        {
            request.Headers.Range = new RangeHeaderValue(file.Length, null);
        }

        using var response = await silence
            .GuardAsync(token => http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token)).ConfigureAwait(false);
        Place(response);
        var start = file.Length;
        try
        {
            await ReceiveAsync(response, silence).ConfigureAwait(false);
            return null;
        }
        catch (TransientException interruption) when (file.Length > start)
        {
            return interruption;
        }
    }

    /// <summary>Decides from status and headers where the body belongs, and leaves the file ending there.</summary>
    private void Place(HttpResponseMessage response)
    {
        var status = (int)response.StatusCode;
        switch (response.StatusCode)
        {
            case HttpStatusCode.OK:
                Restart();
                break;
            case HttpStatusCode.PartialContent when response.Content.Headers.ContentRange is { } range
                && range.From == file.Length && (range.Length ?? artifact.Bytes) == artifact.Bytes:
                break;
            case HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable:
                Restart();
                throw new TransientException($"the store answered {status} with another range than asked for");
            default:
                throw Answers.MayPass(status)
                    ? new TransientException($"the store answered {status}", Answers.RetryAfter(response, options.TimeProvider.GetUtcNow()))
                    : new UrlExpiredException(status);
        }

        if (response.Content.Headers.ContentLength is { } announced && announced != artifact.Bytes - file.Length)
        {
            throw new GiveUpException($"the store has a model of {announced + file.Length} bytes, the lease names {artifact.Bytes}");
        }

        file.Seek(0, SeekOrigin.End);
    }

    /// <summary>Drops what is here: some stores know no ranges. One that never gets anywhere must not be fed from forever.</summary>
    private void Restart()
    {
        if (file.Length == 0)
        {
            return;
        }

        file.SetLength(0);
        if (++_restarts >= options.MaxAttempts)
        {
            throw new GiveUpException($"the model's download was interrupted {_restarts} times, and the store never continued it");
        }
    }

    private async Task ReceiveAsync(HttpResponseMessage response, Silence silence)
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
            if (read > artifact.Bytes - file.Length)
            {
                throw new GiveUpException($"the store sends more than the {artifact.Bytes} bytes that the lease names");
            }

            await file.WriteAsync(buffer.AsMemory(0, read), CancellationToken.None).ConfigureAwait(false);
            if (file.Length - reported >= ReportBytes)
            {
                reported = file.Length;
                events.Report(new Downloading(work.Run, work.Round, reported, artifact.Bytes));
            }
        }

        if (file.Length < artifact.Bytes)
        {
            throw new TransientException($"the store sent {file.Length} of {artifact.Bytes} bytes");
        }
    }
}
