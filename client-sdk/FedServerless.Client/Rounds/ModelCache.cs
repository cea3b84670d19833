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
            using (var file = new FileStream(part, StateFolder.Private(FileMode.OpenOrCreate, FileShare.None)))
            {
                var download = new ModelDownload(file, artifact, work, http, urls, options, retries, events);
                await download.CompleteAsync(refresh, cancellationToken).ConfigureAwait(false);
            }

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
