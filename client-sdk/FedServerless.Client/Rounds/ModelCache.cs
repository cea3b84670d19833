using System.Security.Cryptography;
using FedServerless.Client.Http;
using FedServerless.Client.State;
using FedServerless.Client.Telemetry;
using FedServerless.Model;
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

    /// <summary>Ways to one model that are tried: over deltas, over a whole encoded model, and what the device held besides.</summary>
    public const int MaxWays = 4;

    private const string PartSuffix = ".part";
    private const string StepSuffix = ".step";

    /// <summary>The encodings that a check-in asks for.</summary>
    public EncodingChoice Encodings { get; } = new();

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
        Encodings.Begin(work);
        var cached = await IsAsync(path, artifact, cancellationToken).ConfigureAwait(false);
        if (!cached)
        {
            File.Delete(path);
            Prune(source, options.CachedModels);
            await FetchAsync(path, source, work, refresh, cancellationToken).ConfigureAwait(false);
        }

        // The write time is the time of last use; Prune drops the oldest.
        File.SetLastWriteTimeUtc(path, options.TimeProvider.GetUtcNow().UtcDateTime);
        Prune(new ModelSource(artifact), options.CachedModels - 1);
        events.Report(new Downloaded(work.Run, work.Round, artifact.Bytes, cached));
        return path;
    }

    private async Task FetchAsync(
        string path, ModelSource source, Work work, Func<CancellationToken, Task<ModelSource>> refresh, CancellationToken cancellationToken)
    {
        for (var ways = 1; source.Via is { } steps; ways++)
        {
            if (await TryAssembleAsync(path, source.Model, steps, work, refresh, cancellationToken).ConfigureAwait(false) is not { } problem)
            {
                return;
            }

            if (ways >= MaxWays)
            {
                throw problem;
            }

            // What is not here any more is no longer named, and what failed no longer asked for: the server finds another way.
            events.Retry("model", ways, TimeSpan.Zero, problem.Message);
            source = await refresh(cancellationToken).ConfigureAwait(false);
        }

        await DownloadAsync(
            path, source.Model, work, async token => (await refresh(token).ConfigureAwait(false)).Model, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Null when the model is in its place; else what is wrong with this way to it.</summary>
    private async Task<GiveUpException?> TryAssembleAsync(
        string path, ModelArtifact model, IReadOnlyList<ModelStep> steps, Work work, Func<CancellationToken, Task<ModelSource>> refresh,
        CancellationToken cancellationToken)
    {
        var start = steps.Count > 0 ? steps[0].Start : null;
        var state = start is { } digest ? ModelAssembly.ReadStart(Path.Combine(folder.Models, digest.ToString()), digest) : null;
        if (steps.Count == 0 || (start is not null && state is null))
        {
            return new GiveUpException($"the model {start ?? model.Digest}, which the server takes for held, is not here, or is damaged");
        }

        GiveUpException problem;
        try
        {
            foreach (var step in steps)
            {
                state = await ApplyAsync(step, model, state, work, refresh, cancellationToken).ConfigureAwait(false);
            }

            options.OnStateWrite?.Invoke("keep");
            if (ModelAssembly.TryKeep(path, state!, model.Digest, () => options.OnStateWrite?.Invoke("rename")))
            {
                options.OnStateWrite?.Invoke("kept");
                Forget(steps);
                return null;
            }

            problem = new GiveUpException($"the model put together is not the one promised: its SHA-256 is not {model.Digest}");
        }
        catch (GiveUpException reason)
        {
            problem = reason;
        }

        Forget(steps);
        Encodings.Narrow(work, builtOnAnother: start is not null);
        return problem;
    }

    /// <summary>Gets one encoded file and puts it on top.</summary>
    /// <exception cref="GiveUpException">It cannot be had, or is not what was announced.</exception>
    private async Task<ModelState> ApplyAsync(
        ModelStep step, ModelArtifact model, ModelState? state, Work work, Func<CancellationToken, Task<ModelSource>> refresh, CancellationToken cancellationToken)
    {
        var path = StepPath(step);
        var file = new ModelArtifact(step.Url, step.Bytes, step.Digest, model.LayoutDigest);
        if (!await IsAsync(path, file, cancellationToken).ConfigureAwait(false))
        {
            options.OnStateWrite?.Invoke("step");
            await DownloadAsync(path, file, work, token => AgainAsync(step, refresh, token), cancellationToken).ConfigureAwait(false);
        }

        try
        {
            options.OnStateWrite?.Invoke("apply");
            return ModelAssembly.Apply(path, model, state, step.Start ?? default);
        }
        catch (InvalidDataException problem)
        {
            throw new GiveUpException($"the model's file {step.Digest} is not usable: {problem.Message.TrimEnd('.')}", problem);
        }
    }

    private string StepPath(ModelStep step) => Path.Combine(folder.Models, step.Digest + StepSuffix);

    private void Forget(IReadOnlyList<ModelStep> steps)
    {
        foreach (var step in steps)
        {
            File.Delete(StepPath(step));
            File.Delete(StepPath(step) + PartSuffix);
        }
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

    /// <summary>
    /// Lets go of what is neither wanted now nor among the last used: models beyond those that are kept, as many unfinished ones, and what
    /// dead processes left. Also before a download, for a server that never lets one finish must not fill the disk.
    /// </summary>
    private void Prune(ModelSource wanted, int models)
    {
        var path = Path.Combine(folder.Models, wanted.Model.Digest.ToString());
        var steps = wanted.Via ?? [];
        var inUse = steps.SelectMany(step => new[] { StepPath(step), StepPath(step) + PartSuffix, Path.Combine(folder.Models, $"{step.Start}") })
            .Append(path).Append(path + PartSuffix).ToHashSet(StringComparer.Ordinal);
        var others = new DirectoryInfo(folder.Models).GetFiles()
            .Where(file => !inUse.Contains(file.FullName))
            .OrderByDescending(file => file.LastWriteTimeUtc)
            .ThenBy(file => file.Name, StringComparer.Ordinal)
            .ToLookup(file => Digest.TryParse(Path.GetFileNameWithoutExtension(file.Name), out _) ? file.Extension : StateFolder.TemporarySuffix, StringComparer.Ordinal);
        foreach (var old in others.SelectMany(kind => kind.Skip(kind.Key switch { "" => models, PartSuffix => options.CachedModels, _ => 0 })))
        {
            options.OnStateWrite?.Invoke("prune");
            old.Delete();
        }
    }
}
