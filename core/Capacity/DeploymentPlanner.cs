using FedServerless.Model;
using FedServerless.Wire;
using FedServerless.Wire.Downloads;
using FedServerless.Wire.Updates;

namespace FedServerless.Capacity;

/// <summary>Answers what a deployment needs, with the formulas by which rounds are planned and forecast.</summary>
public static class DeploymentPlanner
{
    /// <summary>Activities that an instance runs at a time: <c>maxConcurrentActivityFunctions</c> of host.json.</summary>
    public const int ActivitiesPerInstance = 2;

    /// <summary>Activities a second that the storage backend dispatches.</summary>
    public const double StorageActivitiesPerSecond = 100;

    /// <summary>Activities a second that the Durable Task Scheduler dispatches on Consumption: 500 actions, two an activity.</summary>
    public const double SchedulerActivitiesPerSecond = 250;

    /// <summary>Requests of devices that an instance answers a second. Assumed.</summary>
    public const double RequestsPerInstance = 100;

    /// <summary>Shortest pause between check-ins, in seconds, as hosts have it.</summary>
    public const double MinRetrySeconds = 5;

    private const int PartBytes = 4 << 20;
    private const int BlockCoordinates = 65_536;

    /// <summary>Plans.</summary>
    /// <exception cref="ArgumentException">The question has problems; the message lists all of them.</exception>
    public static DeploymentPlan Plan(DeploymentQuestion question)
    {
        ArgumentNullException.ThrowIfNull(question);
        var problems = question.Problems();
        if (problems.Count > 0)
        {
            throw new ArgumentException(string.Join(' ', problems), nameof(question));
        }

        var pace = Math.Max(MinRetrySeconds, Math.Min(question.Clients / question.CheckInsPerSecond, question.MaxRetrySeconds));
        var fetches = question.Invited / Math.Min(pace, question.RoundHours * 3600);
        var replicas = ModelReplicas.Count(fetches);
        var round = Quantities(question) with { Copies = replicas };
        var steps = RoundForecast.Activities(round).Select(step => Time(step, question)).ToList();
        steps.Add(Requests(RoundForecast.Devices(round), question.RoundHours * 3600, question));
        steps.Add(new StepPlan(RoundForecast.Transfers(round), 0, 0));
        var idle = Idle(question, pace);
        var usage = ResourceUsage.Sum(steps.Append(idle).Select(step => step.Forecast.Usage with { GbSeconds = GbSeconds(step, question) }));
        return new DeploymentPlan(
            round, replicas, pace, steps, idle, usage, question.Prices.CostOf(usage),
            [.. Findings(question, round, steps, fetches, replicas, pace).OrderByDescending(finding => finding.Share)]);
    }

    private static RoundQuantities Quantities(DeploymentQuestion question)
    {
        var layout = TensorLayout.Create([new TensorSpec("parameters", [question.Parameters], TensorRole.Parameter)]);
        var shape = UpdateShape.Create(layout, new UpdateSpec { Codec = question.Codec, BlockCoordinates = BlockCoordinates });
        var size = RoundSize.Of(shape, PartBytes, ShardLayout.Coordinates(question.Parameters), question.Invited);
        return new RoundQuantities(size, ReductionPlan.Choose(size, question.Levels))
        {
            Members = question.Clients,
            Looks = 100,
            OptimizerStates = question.OptimizerStates,
            ModelBytes = CanonicalModelFile.Create(layout).Length,
            DownBytes = DownloadSize.Of(layout, [question.Download]),
            EncodesDownloads = question.Download != DownloadEncodings.Float32,
        };
    }

    private static StepPlan Time(StepForecast step, DeploymentQuestion question)
    {
        var instances = Math.Min(question.MaxInstances, (step.Tasks + ActivitiesPerInstance - 1) / ActivitiesPerInstance);
        var waves = Math.Ceiling(step.Tasks / (double)(instances * ActivitiesPerInstance));
        var byEngine = step.Tasks / (question.IsScheduler ? SchedulerActivitiesPerSecond : StorageActivitiesPerSecond);
        var byAccount = (double)step.Usage.Requests / CapacityModel.AccountRequestsPerSecond;
        return new StepPlan(step, Math.Max(waves * step.SecondsEach, Math.Max(byEngine, byAccount)), instances);
    }

    private static StepPlan Requests(StepForecast step, double within, DeploymentQuestion question)
    {
        var instances = (int)Math.Clamp(Math.Ceiling(step.Tasks / within / RequestsPerInstance), 1, question.MaxInstances);
        return new StepPlan(step, within, instances);
    }

    /// <summary>Check-ins that find nothing to do: one a pause and client, while the round collects.</summary>
    private static StepPlan Idle(DeploymentQuestion question, double pace)
    {
        var seconds = question.RoundHours * 3600;
        var count = (int)Math.Min(int.MaxValue, question.Clients / pace * seconds);

        // The proof's key is read again after half a minute, so for all but the fastest each check-in reads it.
        var usage = new ResourceUsage(Reads: count, Executions: count);
        return Requests(new StepForecast("idle check-ins", count, usage, CapacityModel.RequestSeconds), seconds, question);
    }

    /// <summary>Busy seconds times memory. Activities share their instance two at a time, requests as many at a time as come.</summary>
    private static double GbSeconds(StepPlan step, DeploymentQuestion question)
    {
        var gb = question.MemoryMb / 1024.0;
        return step.Forecast.Name is "device requests" or "idle check-ins"
            ? step.Forecast.Tasks / RequestsPerInstance * gb
            : step.Forecast.Tasks * step.Forecast.SecondsEach / Math.Min(ActivitiesPerInstance, Math.Max(1, step.Forecast.Tasks)) * gb;
    }

    private static IEnumerable<CapacityFinding> Findings(
        DeploymentQuestion question, RoundQuantities round, IReadOnlyList<StepPlan> steps, double fetches, int replicas, double pace)
    {
        var slowest = steps.Where(step => step.Forecast.Name is not ("device requests" or "transfers")).MaxBy(step => step.Forecast.SecondsEach)!;
        yield return new($"seconds of one {slowest.Forecast.Name}", slowest.Forecast.SecondsEach, CapacityModel.ActivityLimitSeconds, "take a smaller cohort or a smaller codec");

        yield return new(
            "requests a second on one model blob", fetches / replicas, CapacityModel.BlobRequestsPerSecond,
            $"at most {ModelReplicas.Max} copies are made: spread the fetches with a longer pause between check-ins, or a smaller cohort");

        var perSecond = (question.Clients / pace) + (12.0 * question.Invited / Math.Max(pace, 1));
        yield return new(
            "requests a second on the account while devices arrive", perSecond, CapacityModel.AccountRequestsPerSecond,
            "lengthen the pause between check-ins or the round");

        var arriving = Math.Ceiling(((question.Clients / pace) + (4.0 * question.Invited / pace)) / RequestsPerInstance);
        yield return new("instances while devices arrive", arriving, question.MaxInstances, "allow more instances or lengthen the pause between check-ins");

        var work = steps.Where(step => step.Forecast.Name is not ("device requests" or "transfers" or "CountReceipts")).Sum(step => step.Seconds);
        yield return new(
            "seconds from seal to version, within the round's length", work, question.RoundHours * 3600,
            "allow more instances, take int8, a smaller cohort, or longer rounds");

        // The accepted document in memory: some 600 bytes an update, of half an instance's memory.
        yield return new(
            "bytes of the accepted updates' list in memory", 600.0 * question.Invited, question.MemoryMb * 1048576.0 / 2 / ActivitiesPerInstance,
            "take instances with more memory or a smaller cohort");

        var slices = ShardLayout.Coordinates(question.Parameters) * (double)((2 * sizeof(double)) + ((2 + question.OptimizerStates) * sizeof(float)));
        yield return new(
            "bytes of a shard's sums and slices in memory", slices, question.MemoryMb * 1048576.0 / 2 / ActivitiesPerInstance,
            "take instances with more memory");
    }
}
