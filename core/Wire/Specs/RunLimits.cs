namespace FedServerless.Wire;

/// <summary>The limits of a <see cref="RunSpec"/>. Both ends are legal unless a summary says otherwise.</summary>
public static class RunLimits
{
    /// <summary>Longest JSON of a spec, in bytes.</summary>
    public const int MaxSpecBytes = 1 << 20;

    /// <summary>Most published rounds.</summary>
    public const int MaxRounds = 100_000;

    /// <summary>Largest cost limit.</summary>
    public const double MaxCost = 1e9;

    /// <summary>Most clients a private run may declare.</summary>
    public const long MaxPrivateClients = 1_000_000_000;

    /// <summary>Largest ε that noise is found for; beyond it nothing is promised.</summary>
    public const double MaxEpsilon = 100;

    /// <summary>Most levels of a reduction.</summary>
    public const int MaxLevels = 2;

    /// <summary>Most clients in a cohort.</summary>
    public const int MaxClients = 1_000_000;

    /// <summary>Largest extra share of clients invited.</summary>
    public const double MaxOverSelection = 2;

    /// <summary>Shortest deadline, in seconds.</summary>
    public const double MinDeadlineSeconds = 1;

    /// <summary>Most refused updates in a row that a client may have before its quarantine.</summary>
    public const int MaxQuarantineAfter = 1000;

    /// <summary>Longest deadline, in seconds: 30 days.</summary>
    public const double MaxDeadlineSeconds = 30 * 24 * 3600;

    /// <summary>Most passes over the local samples.</summary>
    public const int MaxEpochs = 1000;

    /// <summary>Most samples a local step; 0 stands for all.</summary>
    public const int MaxBatchSize = 1_000_000;

    /// <summary>Largest step size, local or of the server; the smallest is above 0.</summary>
    public const double MaxLearningRate = 1000;

    /// <summary>Largest L2 weight decay.</summary>
    public const double MaxWeightDecay = 1;

    /// <summary>Largest µ of FedProx.</summary>
    public const double MaxProximalMu = 1000;

    /// <summary>Largest bound on the samples a client may claim weight for.</summary>
    public const long MaxSamples = 1_000_000_000;

    /// <summary>Largest bound on an update's L2 norm; the smallest is above 0.</summary>
    public const double MaxNorm = 1e30;

    /// <summary>Largest bound on an update's L2 norm as a multiple of the round's median norm; the smallest is above 1.</summary>
    public const double MaxNormRatio = 1e6;

    /// <summary>Most clients a round that compares them has: their inner products are that number squared.</summary>
    public const int MaxComparedClients = 2000;

    /// <summary>Most updates in a bucket.</summary>
    public const int MaxBucketSize = 1000;

    /// <summary>Smallest adaptivity τ: its square, where v starts, is still a normal float32.</summary>
    public const double MinTau = 1e-18;

    /// <summary>Largest adaptivity τ.</summary>
    public const double MaxTau = 1000;

    /// <summary>Fewest coordinates a block.</summary>
    public const int MinBlockCoordinates = 1024;

    /// <summary>Most coordinates a block.</summary>
    public const int MaxBlockCoordinates = 65_536;

    /// <summary>Smallest share of the parameters that a sparse codec keeps.</summary>
    public const double MinKeep = 1e-6;

    /// <summary>Largest share of the parameters that a sparse codec keeps: all.</summary>
    public const double MaxKeep = 1;

    /// <summary>Most rounds in which a sparse codec keeps more.</summary>
    public const int MaxWarmUpRounds = 1000;

    /// <summary>Smallest bound on an uploaded part, in bytes: 256 KiB.</summary>
    public const int MinPartBytes = 256 << 10;

    /// <summary>Largest bound on an uploaded part, in bytes: 8 MiB.</summary>
    public const int MaxPartBytes = 8 << 20;

    /// <summary>Most codecs that a run chooses among.</summary>
    public const int MaxCodecs = 32;

    /// <summary>Longest time between two rounds of a client, in seconds: a day.</summary>
    public const double MaxRestSeconds = 24 * 3600;

    /// <summary>Largest bound on the bytes a client moves in a day: 1 PiB.</summary>
    public const long MaxBytesPerDay = 1L << 50;

    /// <summary>Most versions whose deltas are kept.</summary>
    public const int MaxDeltaVersions = 16;

    /// <summary>Most designated evaluators.</summary>
    public const int MaxEvaluators = 10_000;

    /// <summary>Longest patience, in evaluations.</summary>
    public const int MaxPatience = 100_000;
}
