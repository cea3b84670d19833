using FedServerless.Wire;

namespace FedServerless.Adaptation;

/// <summary>
/// Chooses, within an operator's bounds, what a client does in a round. Pure: the same policy, round and measurements give the same choice.
/// The formulas are this project's, and docs/concepts/adaptivity.md explains them.
/// </summary>
public static class AdaptationPolicy
{
    /// <summary>Requests that a client's part in a round waits for one after the other: check-in, model, upload URLs, parts, receipt.</summary>
    public const int RoundTrips = 5;

    /// <summary>Copies of the model that fit into the memory of a device that gets the largest batch: weights, gradients, activations of a step.</summary>
    public const int ModelsInMemory = 16;

    /// <summary>Part of the target time that sending an update may take before a smaller codec is chosen.</summary>
    public const double UploadShare = 0.25;

    /// <summary>Part of the measured clients whose links may be too slow for the chosen codec; one of them where it is less than one.</summary>
    public const double SlowShare = 0.1;

    /// <summary>Fewest measured clients of which one may be too slow: of two, one is half of what is known.</summary>
    public const int FewestWithASlowOne = 3;

    /// <summary>Measured clients that are enough to choose a codec by, however large the cohort is; half of a cohort is enough as well.</summary>
    public const int EnoughMeasured = 10;

    /// <summary>Longest rest that is asked for, in seconds: a day.</summary>
    public const double LongestRest = 24 * 3600;

    /// <summary>
    /// <c>epochs = clamp(⌊(T − t) / (n·s)⌋, min, max)</c> with T the target time, t what the transfers take, n samples and s seconds a
    /// sample; <c>batch</c> = the largest <c>max/2ᵏ ≥ min</c> that is at most <c>max · memory / (16 · model)</c>; <c>rest = max(interval, 86400 ·
    /// bytes of a round / bytes a day)</c>. What was not measured changes nothing: the operator's own value stands, within the bounds.
    /// </summary>
    /// <param name="policy">The bounds; legal.</param>
    /// <param name="load">The round.</param>
    /// <param name="measured">What the client has measured; null for nothing.</param>
    public static LeaseChoice Choose(AdaptationSpec policy, RoundLoad load, DeviceMeasurements? measured)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(load);
        measured ??= new DeviceMeasurements();
        return new LeaseChoice(Epochs(policy, load, measured), BatchSize(policy, load, measured), RestSeconds(policy, load), policy.MaxBytesPerDay);
    }

    /// <summary>
    /// The codec of a round: the first of the policy's whose update takes at most a quarter of the target time on the uplinks of all measured
    /// clients but the slowest tenth, else the last. The slowest tenth is one client at least where three or more have measured, so that no
    /// single one decides. <paramref name="usual"/> while fewer than half of the cohort, and fewer than <see cref="EnoughMeasured"/>, have measured.
    /// </summary>
    /// <param name="policy">The bounds; legal.</param>
    /// <param name="usual">The spec's codec.</param>
    /// <param name="targetSeconds">The target time; see <see cref="TargetSeconds"/>.</param>
    /// <param name="cohort">Clients of the round, 0 or more.</param>
    /// <param name="uplinks">Bytes a second of those of them who have measured, in any order.</param>
    /// <param name="updateBytes">Most bytes of an update in a codec.</param>
    public static string ChooseCodec(
        AdaptationSpec policy, string usual, double targetSeconds, int cohort, IReadOnlyCollection<double> uplinks, Func<string, long> updateBytes)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(uplinks);
        ArgumentNullException.ThrowIfNull(updateBytes);
        if (policy.Codecs.Count == 0 || uplinks.Count == 0 || (uplinks.Count < EnoughMeasured && 2L * uplinks.Count < cohort))
        {
            return usual;
        }

        var slow = uplinks.Count < FewestWithASlowOne ? 0 : Math.Max(1, (int)(SlowShare * uplinks.Count));
        var rate = uplinks.Order().ElementAt(slow);
        var most = rate * targetSeconds * UploadShare;
        return policy.Codecs.FirstOrDefault(codec => updateBytes(codec) <= most) ?? policy.Codecs[^1];
    }

    /// <summary>T: the policy's, or half of the round's deadline.</summary>
    public static double TargetSeconds(AdaptationSpec policy, double deadlineSeconds)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return policy.TargetSeconds ?? deadlineSeconds / 2;
    }

    private static int Epochs(AdaptationSpec policy, RoundLoad load, DeviceMeasurements measured)
    {
        if (policy is not { MinEpochs: { } least, MaxEpochs: { } most })
        {
            return load.Training.Epochs;
        }

        if (measured is not { SecondsPerSample: { } perSample, Samples: { } samples })
        {
            return Math.Clamp(load.Training.Epochs, least, most);
        }

        var transfers = (RoundTrips * (measured.LatencySeconds ?? 0)) + (load.DownBytes / (measured.DownBytesPerSecond ?? double.PositiveInfinity))
            + (load.UpBytes / (measured.UpBytesPerSecond ?? double.PositiveInfinity));
        var epochs = Math.Floor((TargetSeconds(policy, load.DeadlineSeconds) - transfers) / (samples * perSample));
        return (int)Math.Clamp(epochs, least, most);
    }

    private static int BatchSize(AdaptationSpec policy, RoundLoad load, DeviceMeasurements measured)
    {
        if (policy is not { MinBatchSize: { } least, MaxBatchSize: { } most })
        {
            return load.Training.BatchSize;
        }

        if (measured.MemoryBytes is not { } memory)
        {
            return Math.Clamp(load.Training.BatchSize, least, most);
        }

        var room = most * (memory / ((double)ModelsInMemory * load.ModelBytes));
        var batch = most;
        while (batch > room && batch / 2 >= least)
        {
            batch /= 2;
        }

        return batch;
    }

    private static double RestSeconds(AdaptationSpec policy, RoundLoad load)
    {
        var spread = policy.MaxBytesPerDay is { } bytes ? LongestRest * (load.DownBytes + load.UpBytes) / bytes : 0;
        return Math.Min(LongestRest, Math.Max(policy.MinIntervalSeconds ?? 0, spread));
    }
}
