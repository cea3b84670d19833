using FedServerless.Compression;
using FedServerless.Wire;
using FedServerless.Wire.Downloads;

namespace FedServerless.Capacity;

/// <summary>What a deployment is planned for.</summary>
public sealed record DeploymentQuestion
{
    /// <summary>What <see cref="Download"/> may be.</summary>
    public static IReadOnlyList<string> Downloads { get; } = [.. DownloadEncodings.Names.Where(name => name != DownloadEncodings.Delta)];

    /// <summary>Clients of the population, 1 to 1 000 000.</summary>
    public required int Clients { get; init; }

    /// <summary>Float32 parameters of the model, 1 to 1 000 000 000.</summary>
    public required int Parameters { get; init; }

    /// <summary>Clients of a round, 1 to <see cref="Clients"/>; null for all of them.</summary>
    public int? Cohort { get; init; }

    /// <summary>How updates travel. Default <c>float32</c>.</summary>
    public string Codec { get; init; } = UpdateCodecs.Float32;

    /// <summary>How the model travels to devices: <c>float32</c>, <c>float16</c> or <c>int8</c>. Deltas are fewer bytes than the one they stand beside. Default <c>float32</c>.</summary>
    public string Download { get; init; } = DownloadEncodings.Float32;

    /// <summary>Hours that a round collects. Default 1.</summary>
    public double RoundHours { get; init; } = 1;

    /// <summary>Memory of an instance in MB: 512, 2048 or 4096. Default 2048.</summary>
    public int MemoryMb { get; init; } = 2048;

    /// <summary>Most instances. Default 100.</summary>
    public int MaxInstances { get; init; } = 100;

    /// <summary>True for the Durable Task Scheduler (Consumption), false for the storage backend.</summary>
    public bool IsScheduler { get; init; }

    /// <summary>Vectors of the server optimizer: 0 to 2. Default 0, FedAvg.</summary>
    public int OptimizerStates { get; init; }

    /// <summary>Pause between check-ins at the longest, in seconds. Default 600, as hosts have it.</summary>
    public double MaxRetrySeconds { get; init; } = 600;

    /// <summary>Check-ins a second that hosts should get. Default 50, as hosts have it.</summary>
    public double CheckInsPerSecond { get; init; } = 50;

    /// <summary>The operator's choice of levels, 1 or 2; null to choose.</summary>
    public int? Levels { get; init; }

    /// <summary>What things cost.</summary>
    public PriceTable Prices { get; init; } = new();

    /// <summary>Clients of a round.</summary>
    public int Invited => Cohort ?? Clients;

    /// <summary>Everything that is wrong with the question; empty when it can be answered.</summary>
    public IReadOnlyList<Problem> Problems()
    {
        var problems = new List<Problem>();
        Range("clients", Clients, 1, RunLimits.MaxClients);
        Range("parameters", Parameters, 1, 1_000_000_000);
        Range("cohort", Invited, 1, Math.Max(1, Clients));
        Range("roundHours", RoundHours, RunLimits.MinDeadlineSeconds / 3600, RunLimits.MaxDeadlineSeconds / 3600);
        Range("instances", MaxInstances, 1, 1000);
        Range("optimizerStates", OptimizerStates, 0, 2);
        if (MemoryMb is not (512 or 2048 or 4096))
        {
            problems.Add(new("memory", $"{MemoryMb}", "512, 2048 or 4096"));
        }

        if (!UpdateCodecs.All.Names.Contains(Codec))
        {
            problems.Add(new("codec", Codec, string.Join(", ", UpdateCodecs.All.Names)));
        }

        if (!Downloads.Contains(Download))
        {
            problems.Add(new("download", Download, string.Join(", ", Downloads)));
        }

        return problems;

        void Range(string field, double value, double least, double most)
        {
            if (!(value >= least && value <= most))
            {
                problems.Add(new(field, $"{value}", $"{least} to {most}"));
            }
        }
    }
}
