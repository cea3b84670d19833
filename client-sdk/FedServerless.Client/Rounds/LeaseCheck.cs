using System.Globalization;
using FedServerless.Client.Http;
using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Client.Rounds;

/// <summary>
/// Looks at a lease before anything is done for it: names become paths, numbers become allocations, and a server may be mistaken
/// or worse.
/// </summary>
internal static class LeaseCheck
{
    private const int MaxWayOverhead = 64 << 10;

    private const int MinPartBytes = 256 << 10;
    private const int MaxPartBytes = 8 << 20;

    /// <summary>
    /// Most bytes of the files of a way: it is served for being shorter than the model, but preludes and hashes can make it longer where there is
    /// next to nothing to encode.
    /// </summary>
    public static long MostBytesOfWay(long modelBytes) => modelBytes + (modelBytes / 1024) + MaxWayOverhead;

    /// <exception cref="GiveUpException">Something in the lease is out of bounds; the message lists everything.</exception>
    public static void Train(TrainLease lease, long maxModelBytes)
    {
        var problems = new List<Problem>();
        Work(problems, lease.Run, lease.Round, lease.RemainingSeconds);
        Check(problems, Identifiers.IsValid(lease.Model), "model", lease.Model, Identifiers.Rule);
        Artifact(problems, "base", lease.Base, maxModelBytes, needsUrl: lease.Via is null);
        Steps(problems, lease, maxModelBytes);
        Check(problems, lease.Update.PartBytes is >= MinPartBytes and <= MaxPartBytes, "update.partBytes", lease.Update.PartBytes, $"{MinPartBytes} to {MaxPartBytes}");
        Check(problems, lease.Update.MinPartBytes is null || (lease.Update.MinPartBytes >= MinPartBytes && lease.Update.MinPartBytes <= lease.Update.PartBytes), "update.minPartBytes", lease.Update.MinPartBytes ?? 0, $"{MinPartBytes} to update.partBytes");
        Check(problems, lease.Training.Epochs is >= 1 and <= RunLimits.MaxEpochs, "training.epochs", lease.Training.Epochs, $"1 to {RunLimits.MaxEpochs}");
        Check(problems, lease.Training.BatchSize is >= 0 and <= RunLimits.MaxBatchSize, "training.batchSize", lease.Training.BatchSize, $"0 to {RunLimits.MaxBatchSize}");
        if (lease.Choice is { } choice)
        {
            Check(problems, choice.RestSeconds is >= 0 and <= RunLimits.MaxRestSeconds, "choice.restSeconds", choice.RestSeconds, $"0 to {RunLimits.MaxRestSeconds}");
            Check(problems, choice.MaxBytesPerDay is null or >= 1, "choice.maxBytesPerDay", choice.MaxBytesPerDay ?? 0, "1 or more");
        }

        if (lease.Privacy is { } privacy)
        {
            Check(problems, privacy.Clip is >= UpdateClip.LeastClip and <= UpdateClip.LargestClip, "privacy.clip", privacy.Clip, $"{UpdateClip.LeastClip} to {UpdateClip.LargestClip}");
        }

        if (lease.Solver is { } solver)
        {
            Check(problems, solver.Clients >= 1, "solver.clients", solver.Clients, "1 or more");
            if (solver.Sum is { } sum)
            {
                Artifact(problems, "solver.sum", sum, maxModelBytes, needsUrl: true);
            }
        }

        Throw(problems);
    }

    /// <exception cref="GiveUpException">Something in the lease is out of bounds; the message lists everything.</exception>
    public static void Evaluate(EvaluateLease lease, long maxModelBytes)
    {
        var problems = new List<Problem>();
        Work(problems, lease.Run, lease.Round, lease.RemainingSeconds);
        Artifact(problems, "artifact", lease.Artifact, maxModelBytes, needsUrl: true);
        Throw(problems);
    }

    private static void Work(List<Problem> problems, string run, int round, double remaining)
    {
        Check(problems, Identifiers.IsValid(run), "run", run, Identifiers.Rule);
        Check(problems, round >= 1, "round", round, "1 or more");
        Check(problems, double.IsFinite(remaining), "remainingSeconds", remaining, "a finite number");
    }

    private static void Steps(List<Problem> problems, TrainLease lease, long maxModelBytes)
    {
        var steps = lease.Via ?? [];
        Check(problems, steps.Count <= DeviceApi.MaxModelSteps, "via", $"{steps.Count} files", $"at most {DeviceApi.MaxModelSteps}");
        if (steps.Any(step => step is null))
        {
            Check(problems, false, "via", "a file that is none", "files");
            return;
        }

        for (var i = 0; i < Math.Min(steps.Count, DeviceApi.MaxModelSteps); i++)
        {
            Artifact(problems, $"via[{i}]", new ModelArtifact(steps[i].Url, steps[i].Bytes, steps[i].Digest, default), maxModelBytes, needsUrl: true);
            var follows = i == 0 || steps[i].Start == steps[i - 1].Result;
            Check(problems, follows, $"via[{i}].start", steps[i].Start?.ToString() ?? "nothing", "the result of the step before");
        }

        var bytes = steps.Take(DeviceApi.MaxModelSteps).Sum(step => (double)step.Bytes);
        var most = MostBytesOfWay(Math.Min(lease.Base.Bytes, maxModelBytes));
        Check(problems, bytes <= most, "via", $"files of {bytes} bytes", $"at most {most}");
        var leads = steps.Count == 0 || steps[^1].Result == lease.Base.Digest;
        Check(problems, leads, "via", "a way to another model", "one to the base");
    }

    private static void Artifact(List<Problem> problems, string field, ModelArtifact artifact, long maxModelBytes, bool needsUrl)
    {
        Check(problems, artifact.Bytes >= 1 && artifact.Bytes <= maxModelBytes, $"{field}.bytes", artifact.Bytes, $"1 to {maxModelBytes}");
        Check(
            problems, artifact.Url.Length <= ServerUrls.MaxUrlLength && (artifact.Url.Length > 0 || !needsUrl), $"{field}.url", artifact.Url.Length,
            $"1 to {ServerUrls.MaxUrlLength} characters");
    }

    private static void Check(List<Problem> problems, bool right, string field, object value, string expected)
    {
        if (!right)
        {
            problems.Add(new Problem(field, Convert.ToString(value, CultureInfo.InvariantCulture), expected));
        }
    }

    private static void Throw(List<Problem> problems)
    {
        if (problems.Count > 0)
        {
            throw new GiveUpException($"the server's lease is not usable: {string.Join(' ', problems)}");
        }
    }
}
