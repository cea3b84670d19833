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
    private const string StepSuffix = ".step";

    /// <summary>The models that are here, newest first, as a check-in names them; each is verified before it is used.</summary>
    public IReadOnlyList<Digest> Holds()
    {
        try
        {
            return
            [
                .. new DirectoryInfo(folder.Models).GetFiles()
                    .OrderByDescending(file => file.LastWriteTimeUtc)
                    .ThenBy(file => file.Name, StringComparer.Ordinal)
                    .Select(file => (IsModel: Digest.TryParse(file.Name, out var digest), Digest: digest))
                    .Where(file => file.IsModel)
                    .Select(file => file.Digest)
                    .Take(DeviceApi.MaxHeldModels),
            ];
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>The path of the verified artifact.</summary>
    /// <param name="source">What to get, and how.</param>
    /// <param name="work">What it is for.</param>
    /// <param name="refresh">Asks the server for the same model with fresh URLs; throws when there is none any more.</param>
    /// <param name="cancellationToken">Stops; what has arrived stays.</param>
    public async Task<string> GetAsync(
        ModelSource source, Work work, Func<CancellationToken, Task<ModelSource>> refresh, CancellationToken cancellationToken)
    {
        var artifact = source.Model;
        var path = Path.Combine(folder.Models, artifact.Digest.ToString());
        var cached = await IsAsync(path, artifact, cancellationToken).ConfigureAwait(false);
        if (!cached)
        {
            File.Delete(path);
            await FetchAsync(path, source, work, refresh, cancellationToken).ConfigureAwait(false);
        }

        // The write time is the time of last use; Prune drops the oldest.
        File.SetLastWriteTimeUtc(path, options.TimeProvider.GetUtcNow().UtcDateTime);
        Prune(path);
        events.Report(new Downloaded(work.Run, work.Round, artifact.Bytes, cached));
        return path;
    }

    private async Task FetchAsync(
        string path, ModelSource source, Work work, Func<CancellationToken, Task<ModelSource>> refresh, CancellationToken cancellationToken)
    {
        for (var failures = 0; source.Via is { } steps; failures++)
        {
            if (await TryAssembleAsync(path, source.Model, steps, work, refresh, cancellationToken).ConfigureAwait(false))
            {
                return;
            }

            if (failures >= MaxMismatches)
            {
                throw new GiveUpException($"the model put together {failures + 1} times is not the one promised: its SHA-256 is not {source.Model.Digest}");
            }

            // What is not here any more is no longer named: the server finds another way.
            source = await refresh(cancellationToken).ConfigureAwait(false);
        }

        await DownloadAsync(
            path, source.Model, work, async token => (await refresh(token).ConfigureAwait(false)).Model, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>False when what is built on is not here, or what comes out is something else; that is removed then.</summary>
    private async Task<bool> TryAssembleAsync(
        string path, ModelArtifact model, IReadOnlyList<ModelStep> steps, Work work, Func<CancellationToken, Task<ModelSource>> refresh,
        CancellationToken cancellationToken)
    {
        var start = steps.Count > 0 ? steps[0].Start : null;
        var startPath = start is { } digest ? Path.Combine(folder.Models, digest.ToString()) : null;
        var state = startPath is null ? null : ModelAssembly.ReadStart(startPath, start!.Value);
        if (steps.Count == 0 || (start is not null && state is null))
        {
            return false;
        }

        foreach (var step in steps)
        {
            var stepPath = Path.Combine(folder.Models, step.Digest + StepSuffix);
            var file = new ModelArtifact(step.Url, step.Bytes, step.Digest, model.LayoutDigest);
            if (!await IsAsync(stepPath, file, cancellationToken).ConfigureAwait(false))
            {
                await DownloadAsync(stepPath, file, work, token => AgainAsync(step, refresh, token), cancellationToken).ConfigureAwait(false);
            }

            try
            {
                state = ModelAssembly.Apply(stepPath, model, state, step.Start ?? default);
            }
            catch (InvalidDataException problem)
            {
                throw new GiveUpException($"the model's file {step.Digest} is not usable: {problem.Message.TrimEnd('.')}", problem);
            }
        }

        var isKept = ModelAssembly.TryKeep(path, state!, model.Digest);
        foreach (var step in steps)
        {
            File.Delete(Path.Combine(folder.Models, step.Digest + StepSuffix));
        }

        if (!isKept && startPath is not null)
        {
            File.Delete(startPath);
        }

        return isKept;
    }

    private static async Task<ModelArtifact> AgainAsync(ModelStep step, Func<CancellationToken, Task<ModelSource>> refresh, CancellationToken cancellationToken)
    {
        var fresh = await refresh(cancellationToken).ConfigureAwait(false);
        return fresh.Via?.FirstOrDefault(other => other.Digest == step.Digest) is { } same
            ? fresh.Model with { Url = same.Url, Bytes = same.Bytes, Digest = same.Digest }
            : throw new GiveUpException("the way to the model is no longer on offer");
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
