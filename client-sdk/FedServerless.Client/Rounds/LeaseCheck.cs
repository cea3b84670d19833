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
    private const int MinPartBytes = 256 << 10;
    private const int MaxPartBytes = 8 << 20;

    /// <exception cref="GiveUpException">Something in the lease is out of bounds; the message lists everything.</exception>
    public static void Train(TrainLease lease, long maxModelBytes)
    {
        var problems = new List<Problem>();
        Work(problems, lease.Run, lease.Round, lease.RemainingSeconds);
        Check(problems, Identifiers.IsValid(lease.Model), "model", lease.Model, Identifiers.Rule);
        Artifact(problems, "base", lease.Base, maxModelBytes);
        Check(problems, lease.Update.PartBytes is >= MinPartBytes and <= MaxPartBytes, "update.partBytes", lease.Update.PartBytes, $"{MinPartBytes} to {MaxPartBytes}");
        if (lease.Privacy is { } privacy)
        {
            Check(problems, privacy.Clip is >= UpdateClip.LeastClip and <= UpdateClip.LargestClip, "privacy.clip", privacy.Clip, $"{UpdateClip.LeastClip} to {UpdateClip.LargestClip}");
        }

        if (lease.Solver is { } solver)
        {
            Check(problems, solver.Clients >= 1, "solver.clients", solver.Clients, "1 or more");
            if (solver.Sum is { } sum)
            {
                Artifact(problems, "solver.sum", sum, maxModelBytes);
            }
        }

        Throw(problems);
    }

    /// <exception cref="GiveUpException">Something in the lease is out of bounds; the message lists everything.</exception>
    public static void Evaluate(EvaluateLease lease, long maxModelBytes)
    {
        var problems = new List<Problem>();
        Work(problems, lease.Run, lease.Round, lease.RemainingSeconds);
        Artifact(problems, "artifact", lease.Artifact, maxModelBytes);
        Throw(problems);
    }

    private static void Work(List<Problem> problems, string run, int round, double remaining)
    {
        Check(problems, Identifiers.IsValid(run), "run", run, Identifiers.Rule);
        Check(problems, round >= 1, "round", round, "1 or more");
        Check(problems, double.IsFinite(remaining), "remainingSeconds", remaining, "a finite number");
    }

    private static void Artifact(List<Problem> problems, string field, ModelArtifact artifact, long maxModelBytes)
    {
        Check(problems, artifact.Bytes >= 1 && artifact.Bytes <= maxModelBytes, $"{field}.bytes", artifact.Bytes, $"1 to {maxModelBytes}");
        Check(problems, artifact.Url.Length is > 0 and <= ServerUrls.MaxUrlLength, $"{field}.url", artifact.Url.Length, $"1 to {ServerUrls.MaxUrlLength} characters");
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
