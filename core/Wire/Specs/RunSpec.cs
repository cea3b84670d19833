namespace FedServerless.Wire;

// Properties that have a default are set, not init: System.Text.Json's source generator puts every init property into an object
// initializer, so that one which is absent from the JSON would lose its default. Nobody sets them after construction.

/// <summary>What an operator asks for: training one model over many rounds. Immutable by convention, validated whole.</summary>
public sealed record RunSpec
{
    /// <summary>The line of versions to train.</summary>
    public required string Model { get; init; }

    /// <summary>Whose clients train it. Default <c>default</c>.</summary>
    public string Population { get; set; } = "default";

    /// <summary>Published rounds to reach, 1 to 100 000.</summary>
    public required int Rounds { get; init; }

    /// <summary>Where all chance of the run comes from: selection, local shuffles, built-in initialisation. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>How to make version 0 when the model has none; null where it was uploaded.</summary>
    public ArchitectureSpec? Architecture { get; init; }

    /// <summary>Who takes part in a round.</summary>
    public SelectionSpec Selection { get; set; } = new();

    /// <summary>When a round closes and what it needs.</summary>
    public RoundSpec Round { get; set; } = new();

    /// <summary>What clients do locally.</summary>
    public TrainingSpec Training { get; set; } = new();

    /// <summary>How updates become one.</summary>
    public AggregationSpec Aggregation { get; set; } = new();

    /// <summary>What the server does with the aggregate.</summary>
    public OptimizerSpec Optimizer { get; set; } = new();

    /// <summary>How updates travel.</summary>
    public UpdateSpec Update { get; set; } = new();

    /// <summary>How models travel to clients.</summary>
    public DownloadSpec Download { get; set; } = new();

    /// <summary>Evaluation by clients; null for none.</summary>
    public EvaluationSpec? Evaluation { get; init; }

    /// <summary>How far rounds adapt to their clients; null for not at all. Refused with privacy.</summary>
    public AdaptationSpec? Adaptation { get; init; }

    /// <summary>Central differential privacy; null for none. Required where the population has a budget.</summary>
    public PrivacySpec? Privacy { get; init; }

    /// <summary>
    /// Most that the run may cost, in the currency of the deployment's price table, above 0; null for no limit. Looked at before each
    /// round with what the last rounds cost each: a run that would pass it ends.
    /// </summary>
    public double? CostLimit { get; init; }

    /// <summary>Keep the raw updates of closed rounds. Default false: they go when the round closes.</summary>
    public bool RetainUpdates { get; init; }
}

/// <summary>
/// A built-in architecture: fully connected layers, ReLU between, softmax cross-entropy on top; in a <c>conv</c> convolutions before them.
/// </summary>
public sealed record ArchitectureSpec
{
    /// <summary><c>softmax</c> (no hidden layer), <c>mlp</c> or <c>conv</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Features of a sample, 1 to 1 000 000; of a <c>conv</c> height × width × channels of its <see cref="Image"/>.</summary>
    public required int Inputs { get; init; }

    /// <summary>What a sample of a <c>conv</c> is; null for the others.</summary>
    public ImageSpec? Image { get; init; }

    /// <summary>The convolutions of a <c>conv</c>, 1 to 8; empty for the others.</summary>
    public IReadOnlyList<ConvolutionSpec> Convolutions { get; set; } = [];

    /// <summary>
    /// Widths of the hidden layers, each 1 to 100 000: 1 to 64 of an <c>mlp</c>, 0 to 64 of a <c>conv</c>, none of <c>softmax</c>.
    /// </summary>
    public IReadOnlyList<int> Hidden { get; set; } = [];

    /// <summary>Classes, 2 to 100 000.</summary>
    public required int Outputs { get; init; }
}

/// <summary>Who takes part in a round.</summary>
public sealed record SelectionSpec
{
    /// <summary><c>all</c> seen lately, <c>uniform</c> (<see cref="Clients"/> of those), or <c>poisson</c> (each enrolled client with probability <see cref="Rate"/>). Default <c>all</c>.</summary>
    public string Kind { get; set; } = "all";

    /// <summary>Cohort size of <c>uniform</c> before over-selection, 1 to 1 000 000.</summary>
    public int? Clients { get; init; }

    /// <summary>Probability of <c>poisson</c>, above 0 and at most 1.</summary>
    public double? Rate { get; init; }

    /// <summary>Extra share of <c>uniform</c> invited against drop-out, 0 to 2: 0.3 invites 30 % more than it waits for. Default 0.</summary>
    public double OverSelection { get; init; }

    /// <summary>Lowest reputation of clients selected by <c>all</c> and <c>uniform</c>, above 0 and at most 1; null for any.</summary>
    public double? MinReputation { get; init; }

    /// <summary>Refused updates in a row that put a client into quarantine, 0 to 1000; 0 for never. Default 3.</summary>
    public int QuarantineAfter { get; set; } = 3;
}

/// <summary>When a round closes and what it needs.</summary>
public sealed record RoundSpec
{
    /// <summary>Longest time a round collects, 1 second to 30 days. Default 600 s.</summary>
    public double DeadlineSeconds { get; set; } = 600;

    /// <summary>Receipts that close a round early; null for the cohort before over-selection.</summary>
    public int? Quorum { get; init; }

    /// <summary>Fewest accepted updates to publish; also fewest clients seen lately to plan. At least 1. Default 1.</summary>
    public int Minimum { get; set; } = 1;
}

/// <summary>What clients do locally.</summary>
public sealed record TrainingSpec
{
    /// <summary>
    /// <c>sgd</c>, <c>scaffold</c>, <c>feddyn</c> or <c>fednova</c>: see <see cref="Optimization.LocalSolvers"/>. Default <c>sgd</c>. A run with
    /// <c>scaffold</c> or <c>feddyn</c> begins with all memories at zero.
    /// </summary>
    public string Solver { get; set; } = "sgd";

    /// <summary>Passes over the local samples, 1 to 1000. Default 1.</summary>
    public int Epochs { get; set; } = 1;

    /// <summary>Samples a step, 1 to 1 000 000; 0 for all of them (full batch). Default 32.</summary>
    public int BatchSize { get; set; } = 32;

    /// <summary>Step size, above 0, at most 1000. Default 0.1.</summary>
    public double LearningRate { get; set; } = 0.1;

    /// <summary>Heavy-ball momentum of the local solver, in [0, 1). Default 0; starts at zero every round.</summary>
    public double Momentum { get; init; }

    /// <summary>L2 weight decay added to the gradient, 0 to 1. Default 0.</summary>
    public double WeightDecay { get; init; }

    /// <summary>
    /// Clients also measure the model on their held-out samples before and after training it, and say so in their receipts: metrics
    /// <c>before-loss</c>, <c>after-loss</c>, <c>before-accuracy</c>, <c>after-accuracy</c>. Default false; refused with privacy.
    /// </summary>
    public bool Measure { get; init; }

    /// <summary>FedProx: µ of µ/2·‖w − wₜ‖², 0 to 1000. Default 0, plain FedAvg. With <c>feddyn</c> its α, above 0.</summary>
    public double ProximalMu { get; init; }
}

/// <summary>How updates become one.</summary>
public sealed record AggregationSpec
{
    /// <summary>The rule. Default <c>weighted-mean</c>.</summary>
    public string Rule { get; set; } = "weighted-mean";

    /// <summary><c>samples</c> (weights min(n, <see cref="MaxSamples"/>)) or <c>uniform</c>. Default <c>samples</c>.</summary>
    public string Weighting { get; set; } = "samples";

    /// <summary>Most samples a client may claim weight for, 1 to 1 000 000 000. Default 10 000.</summary>
    public long MaxSamples { get; set; } = 10_000;

    /// <summary>
    /// Fewest samples a client may claim, 1 to 1 000 000 000; null for 1. An update that claims fewer is refused: with solvers that divide by steps, few
    /// samples make more of an update. Refused with privacy, where receipts name no samples.
    /// </summary>
    public long? MinSamples { get; init; }

    /// <summary>Largest L2 norm of an update's parameters, above 0; null for no bound. A larger one is refused.</summary>
    public double? MaxNorm { get; init; }

    /// <summary>
    /// Levels of the reduction: 1, or 2 (chunks of clients apart, then joined); null to let each round's plan choose. The model's
    /// bytes are the same.
    /// </summary>
    public int? Levels { get; init; }

    /// <summary>f: clients that may lie and the rule must bear, 0 or more. Default 0. Not with <c>weighted-mean</c>, <c>norm-bounding</c>, <c>fltrust</c>.</summary>
    public int Byzantine { get; init; }

    /// <summary>β of <c>trimmed-mean</c>: the share of values taken off each end, in [0, 0.5). Null: as many values as <see cref="Byzantine"/>.</summary>
    public double? Trim { get; init; }

    /// <summary>Updates that <c>multi-krum</c> averages, 1 to n − f − 2; null for that bound.</summary>
    public int? Keep { get; init; }

    /// <summary>τ of <c>centered-clipping</c>, in the units of the updates' L2 norm, above 0.</summary>
    public double? ClipRadius { get; init; }

    /// <summary>Steps of <c>centered-clipping</c>, 1 to 1000; null for 1.</summary>
    public int? ClipSteps { get; init; }

    /// <summary>C of <c>norm-bounding</c>: longer updates are shortened to it, above 0.</summary>
    public double? NormBound { get; init; }

    /// <summary>The trusted client of <c>fltrust</c>, whose update is the measure; it is in every cohort.</summary>
    public string? RootClient { get; init; }

    /// <summary>What is done before the rule: <c>none</c>, <c>buckets</c> or <c>neighbours</c>. Default <c>none</c>.</summary>
    public string Mixing { get; set; } = "none";

    /// <summary>Updates in a bucket, 2 to 1000; null for 2. Only with <c>buckets</c>.</summary>
    public int? BucketSize { get; init; }

    /// <summary>Refuses updates whose L2 norm exceeds so many times the round's median norm, above 1; null for no such bound.</summary>
    public double? MaxNormRatio { get; init; }
}

/// <summary>The server optimizer; Reddi et al. 2021, arXiv:2003.00295, algorithm 2.</summary>
public sealed record OptimizerSpec
{
    /// <summary><c>fedavg</c> (server SGD), <c>fedavgm</c>, <c>fedadagrad</c>, <c>fedadam</c> or <c>fedyogi</c>. Default <c>fedavg</c>.</summary>
    public string Name { get; set; } = "fedavg";

    /// <summary>η, above 0, at most 1000. Default 1 (for the adaptive ones choose 0.1 or less).</summary>
    public double LearningRate { get; set; } = 1;

    /// <summary>Momentum β of FedAvgM and β₁ of the adaptive ones, in [0, 1). Default 0.9.</summary>
    public double Beta1 { get; set; } = 0.9;

    /// <summary>β₂ of FedAdam and FedYogi, in [0, 1). Default 0.99.</summary>
    public double Beta2 { get; set; } = 0.99;

    /// <summary>Adaptivity τ, above 0. Default 0.001; v starts at τ².</summary>
    public double Tau { get; set; } = 1e-3;
}

/// <summary>How updates travel.</summary>
public sealed record UpdateSpec
{
    /// <summary>The codec: one of <see cref="Compression.UpdateCodecs"/>. Default <c>float32</c>.</summary>
    public string Codec { get; set; } = "float32";

    /// <summary>
    /// Share of the parameters that a sparse codec keeps, above 0, at most 1; null for its default of 0.01. Only for codecs that leave
    /// parameters out.
    /// </summary>
    public double? Keep { get; init; }

    /// <summary>
    /// In the first so many rounds of the run a sparse codec keeps more, from a quarter down to <see cref="Keep"/> (<see cref="Compression.SparseWarmUp"/>):
    /// 1 to 1000; null for none. Only for codecs that leave parameters out.
    /// </summary>
    public int? WarmUpRounds { get; init; }

    /// <summary>
    /// How values become whole levels: one of <see cref="Compression.UpdateRoundings"/>; null for <c>nearest</c>. Only for codecs that
    /// leave the choice.
    /// </summary>
    public string? Rounding { get; init; }

    /// <summary>Where the mask of a random codec comes from. The round's plan sets it; a run's specification has none.</summary>
    public long? MaskSeed { get; init; }

    /// <summary>
    /// Clients keep what a lossy codec leaves out and add it to their next update of the model. Default false; refused with
    /// <c>float32</c>, which leaves nothing out.
    /// </summary>
    public bool ErrorFeedback { get; init; }

    /// <summary>Coordinates a block: a power of two from 1024 to 65 536. Default 65 536.</summary>
    public int BlockCoordinates { get; set; } = 65_536;

    /// <summary>Most bytes an uploaded part has, 256 KiB to 8 MiB. Default 4 MiB.</summary>
    public int PartBytes { get; set; } = 4 << 20;

    /// <summary>
    /// Smallest part size that a client may choose for its link, 256 KiB to <see cref="PartBytes"/>; null for <see cref="PartBytes"/>, so
    /// that nobody chooses. The server's work grows with the number of parts.
    /// </summary>
    public int? MinPartBytes { get; init; }

    /// <summary>
    /// Copies of the model that a round's devices fetch from, 1 to 64; null to let each round's plan choose by how many fetch and how
    /// fast. All have the same digest.
    /// </summary>
    public int? ModelCopies { get; init; }
}

/// <summary>Evaluation of published versions by clients.</summary>
public sealed record EvaluationSpec
{
    /// <summary>Evaluate after every so many published rounds, 1 or more. Default 1.</summary>
    public int EveryRounds { get; set; } = 1;

    /// <summary>Designated evaluators by client id; empty for every client seen lately.</summary>
    public IReadOnlyList<string> Clients { get; set; } = [];

    /// <summary>Longest time to wait for evaluations, 1 second to 30 days. Default 120 s.</summary>
    public double DeadlineSeconds { get; set; } = 120;

    /// <summary>Stop the run when the mean loss (weighted by samples) has not improved for so many evaluations; null never.</summary>
    public int? Patience { get; init; }

    /// <summary>Stop the run when mean accuracy (weighted by samples) reaches this, in (0, 1]; null never.</summary>
    public double? TargetAccuracy { get; init; }
}

/// <summary>
/// How models travel to clients. What a client trains from is what it decoded, and its update is against that; the aggregate is applied
/// to the exact weights.
/// </summary>
public sealed record DownloadSpec
{
    /// <summary>
    /// What a round may serve: one or more of <see cref="Wire.Downloads.DownloadEncodings"/>; the server picks by what a device holds and what is
    /// fewest bytes. Default <c>float32</c> alone. <c>delta</c> needs <c>float32</c> or <c>float16</c> beside it.
    /// </summary>
    public IReadOnlyList<string> Encodings { get; set; } = ["float32"];

    /// <summary>The codec of deltas: <c>int8</c> or <c>float16</c>. Default <c>int8</c>.</summary>
    public string DeltaCodec { get; set; } = "int8";

    /// <summary>Versions whose deltas are kept, 1 to 16: a device that missed more downloads the whole model. Default 4.</summary>
    public int DeltaVersions { get; set; } = 4;

    /// <summary>True when both say the same: a run created again with the same spec is the same run.</summary>
    public bool Equals(DownloadSpec? other) => other is not null
        && DeltaCodec == other.DeltaCodec && DeltaVersions == other.DeltaVersions && Encodings.SequenceEqual(other.Encodings, StringComparer.Ordinal);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(DeltaCodec, DeltaVersions, Encodings.Count);

    /// <summary>A name for this way to travel: the same for the same.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string Id => Has(Wire.Downloads.DownloadEncodings.Delta)
        ? $"{string.Join('-', Encodings)}-{DeltaCodec}-{DeltaVersions}"
        : string.Join('-', Encodings);

    /// <summary>True when a round may serve the encoding.</summary>
    public bool Has(string encoding) => Encodings.Contains(encoding, StringComparer.Ordinal);

    /// <summary>True when every device trains from the exact weights.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsExact => Encodings.All(encoding => encoding == Wire.Downloads.DownloadEncodings.Float32);
}
