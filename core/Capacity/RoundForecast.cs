namespace FedServerless.Capacity;

/// <summary>What a step of a round will use: all of its activities together.</summary>
/// <param name="Name">The activity's name, or what else it is.</param>
/// <param name="Tasks">Activities or requests of this kind.</param>
/// <param name="Usage">All of them together; executions and engine actions included, GB-seconds not.</param>
/// <param name="SecondsEach">How long one of them takes, as <see cref="CapacityModel"/> has it.</param>
public sealed record StepForecast(string Name, int Tasks, ResourceUsage Usage, double SecondsEach)
{
    /// <summary>True for the steps from the seal to the published version.</summary>
    public bool IsAggregation => Name is "SealRound" or "ValidateUpdates" or "AcceptUpdates" or "FoldChunks" or "ReduceShard" or "PublishModel";
}

/// <summary>
/// How many requests each step of a round makes: counted off the code, step by step, and held to it by a test that runs a round and
/// compares. A round that publishes, in which everybody invited answered soundly and nothing was repeated.
/// </summary>
public static class RoundForecast
{
    private const int StepBytes = 4096;

    /// <summary>Every step that runs as an activity, in order.</summary>
    public static IReadOnlyList<StepForecast> Activities(RoundQuantities round)
    {
        ArgumentNullException.ThrowIfNull(round);
        StepForecast?[] steps =
        [
            Decide(round), Plan(), Open(round), Look(round), Seal(round), Validate(round), Accept(round), Fold(round), Reduce(round), Publish(round),
            Close(round), Clean(round),
        ];
        return [.. steps.OfType<StepForecast>().Where(step => step.Tasks > 0)];
    }

    /// <summary>The requests of devices: a check-in that gives work, asking where to upload, committing, and what became of it.</summary>
    public static StepForecast Devices(RoundQuantities round)
    {
        ArgumentNullException.ThrowIfNull(round);
        var one = new ResourceUsage(Reads: 12, Writes: 2, Lists: 2, BytesRead: 12 * 2048, BytesWritten: 2 * StepBytes, Executions: 4);
        return new StepForecast("device requests", 4 * round.Clients, round.Clients * one, 4 * CapacityModel.RequestSeconds);
    }

    /// <summary>What devices do straight with the store.</summary>
    public static StepForecast Transfers(RoundQuantities round)
    {
        ArgumentNullException.ThrowIfNull(round);
        return new StepForecast("transfers", 0, round.Clients * DeviceTraffic.OfOne(round.Size, round.DownBytes ?? round.ModelBytes), 0);
    }

    private static StepForecast Decide(RoundQuantities round)
    {
        var model = round.LooksForPresence ? RoundQuantities.Pages(round.Members) + 1 : 0;
        var pages = round.LooksForPresence ? 1 : 0;

        // One read and one listing to see that the population has no privacy budget.
        return Step("DecideStep", 1, new ResourceUsage(Reads: 13 + pages, Writes: round.CohortShards + 1, Lists: 1 + model));
    }

    private static StepForecast Plan() => Step("PlanRound", 1, new ResourceUsage(Reads: 1, Writes: 1));

    private static StepForecast Open(RoundQuantities round)
    {
        var copies = round.Copies > 1 ? round.Copies : 0;
        var bytes = round.DownBytes ?? round.ModelBytes;
        var usage = new ResourceUsage(
            Reads: 2 + copies + (copies > 0 && !round.EncodesDownloads ? 1 : 0), Writes: 3 + (copies * PutWrites(bytes)), BytesRead: copies * bytes,
            BytesWritten: copies * bytes);
        return Step("OpenRound", 1, round.EncodesDownloads ? usage + Encode(round) : usage);
    }

    /// <summary>
    /// The model is read once, a million parameters at a time; one encoded file and the list that names it are written, and those of the version
    /// that is too old now go.
    /// </summary>
    private static ResourceUsage Encode(RoundQuantities round)
    {
        const long ReadAtOnce = 16 * 65_536 * sizeof(float);
        var down = round.DownBytes ?? round.ModelBytes;
        var looksBack = RoundQuantities.DownloadsKept + 1;
        var retires = round.EarlierVersions >= looksBack ? 1 : 0;
        return new ResourceUsage(
            Reads: 3 + ((round.ModelBytes + ReadAtOnce - 1) / ReadAtOnce) + Math.Min(round.EarlierVersions + 1, looksBack),
            Writes: 1 + PutWrites(down), Lists: retires, Deletes: 2 * retires, BytesRead: round.ModelBytes, BytesWritten: down);
    }

    private static StepForecast Look(RoundQuantities round)
    {
        // All but the last look find too few, and then look whether somebody sealed or stopped the round.
        var usage = new ResourceUsage(Reads: round.Looks + (2 * (round.Looks - 1)), Lists: round.Looks * RoundQuantities.Pages(round.Clients));
        return Step("CountReceipts", round.Looks, usage);
    }

    private static StepForecast Seal(RoundQuantities round) => Step(
        "SealRound", 1,
        new ResourceUsage(
            Reads: 3 + round.CohortShards, Writes: 3, Lists: RoundQuantities.Pages(round.Clients) + RoundQuantities.Pages(round.Members)),
        atOnce: 4);

    private static StepForecast Validate(RoundQuantities round)
    {
        var tasks = round.Validations;
        var modelHeader = round.IsSpread ? 2 : 0;
        var usage = new ResourceUsage(
            Reads: (tasks * (3L + modelHeader)) + (round.Clients * (2L + round.Size.Parts)), Writes: tasks, BytesRead: round.Clients * round.Size.UpdateBytes);
        return Step("ValidateUpdates", tasks, usage);
    }

    private static StepForecast Accept(RoundQuantities round) => Step("AcceptUpdates", 1, new ResourceUsage(Reads: 3 + round.Validations, Writes: 1));

    private static StepForecast? Fold(RoundQuantities round)
    {
        if (round.Folds == 0)
        {
            return null;
        }

        var (tasks, partials) = ((long)round.Folds, (long)round.Chunks * round.Size.Shards);
        var headers = round.IsSpread ? (2 * tasks) + ((long)round.Clients * round.Size.Shards) : 0;
        var usage = new ResourceUsage(
            Reads: (4 * tasks) + partials + headers + ((long)round.Clients * round.Size.AllShardReads),
            Writes: partials,
            BytesRead: round.Clients * round.Size.UpdateBytes,
            BytesWritten: partials * PartialBytes);
        return Step("FoldChunks", round.Folds, usage, CapacityModel.FoldRequestsAtOnce);
    }

    private static StepForecast Reduce(RoundQuantities round)
    {
        var shards = round.Size.Shards;
        var headers = round.IsSpread ? 2L * shards : 0;
        var states = round.HasOptimizerState ? round.OptimizerStates : 0;
        headers += states > 0 ? 2L * (round.IsSpread ? shards : 1) : 0;
        var headersOfUpdates = round.IsSpread ? (long)round.Clients * shards : 0;
        var sums = round.Folds > 0 ? (long)round.Chunks * shards : ((long)round.Clients * round.Size.AllShardReads) + headersOfUpdates;
        var usage = new ResourceUsage(
            Reads: (shards * (4L + 1 + states)) + headers + sums,
            Writes: (long)shards * (1 + round.OptimizerStates),
            BytesRead: round.ModelBytes + (round.Folds > 0 ? (long)round.Chunks * shards * PartialBytes : round.Clients * round.Size.UpdateBytes),
            BytesWritten: round.ModelBytes * (1 + round.OptimizerStates));
        return Step("ReduceShard", shards, usage, round.Folds > 0 ? 1 : CapacityModel.FoldRequestsAtOnce);
    }

    private static StepForecast Publish(RoundQuantities round)
    {
        var states = round.OptimizerStates > 0 ? 1 : 0;
        var model = round.IsSpread ? 2 : 0;
        var usage = new ResourceUsage(
            Reads: 14 + model + round.Size.Shards + round.Validations + (states * (1 + ((long)round.OptimizerStates * round.Size.Shards))),
            Writes: 2 + PutWrites(round.ModelBytes) + (states * PutWrites(round.ModelBytes * round.OptimizerStates)),
            BytesRead: round.ModelBytes * (1 + round.OptimizerStates),
            BytesWritten: round.ModelBytes * (1 + round.OptimizerStates));
        return Step("PublishModel", 1, usage);
    }

    private static StepForecast Close(RoundQuantities round)
    {
        var slices = ((long)round.Size.Shards * (1 + round.OptimizerStates)) + (round.Folds > 0 ? (long)round.Chunks * round.Size.Shards : 0);
        var cleans = !round.RetainsUpdates && round.Reduction.CleanTasks == 0;
        var model = round.IsSpread ? 2 : 0;
        var usage = new ResourceUsage(
            Reads: 7 + model + (round.EncodesDownloads ? 1 : 0) + round.Validations + (cleans ? round.CohortShards : 0),
            Writes: 3,
            Lists: 2 + (round.EncodesDownloads && round.Copies > 1 ? round.Copies : 0) + RoundQuantities.Pages(slices) + (cleans ? round.Clients : 0),
            Deletes: 1 + slices + (round.Copies > 1 ? round.Copies : 0) + (cleans ? round.Clients * ObjectsOfUpdate(round) : 0));
        return Step("CloseRound", 1, usage, CapacityModel.CleanRequestsAtOnce);
    }

    private static StepForecast? Clean(RoundQuantities round)
    {
        if (round.RetainsUpdates || round.Reduction.CleanTasks == 0)
        {
            return null;
        }

        var objects = round.Clients * ObjectsOfUpdate(round);
        var usage = new ResourceUsage(
            Reads: round.Reduction.CleanTasks,
            Lists: ReductionPlan.UploadPrefixes * RoundQuantities.Pages(objects / ReductionPlan.UploadPrefixes),
            Deletes: objects);
        return Step("CleanUpdates", round.Reduction.CleanTasks, usage, CapacityModel.CleanRequestsAtOnce);
    }

    private static long ObjectsOfUpdate(RoundQuantities round) => round.Size.Parts + 1 + round.AnnouncementsPerUpload;

    private const long PartialBytes = ShardLayout.SuperBlock * sizeof(double);

    private static long PutWrites(long bytes)
    {
        const long Block = 8 << 20;
        return bytes <= Block ? 1 : ((bytes + Block - 1) / Block) + 1;
    }

    private static StepForecast Step(string name, int tasks, ResourceUsage requests, int atOnce = 1)
    {
        var each = CapacityModel.Seconds((double)requests.Requests / tasks, (double)(requests.BytesRead + requests.BytesWritten) / tasks, atOnce);
        return new StepForecast(name, tasks, requests with { Executions = tasks, EngineActions = (long)tasks * ResourceUsage.ActionsPerActivity }, each);
    }
}
