using FedServerless.Aggregation.Robust;
using FedServerless.Cli.Demo;
using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Wire;

namespace FedServerless.Cli.Laboratory;

/// <summary>One federation under attack, in memory: the SDK's local solver, the rules that the activities run, a server step of 1.</summary>
internal sealed class AttackFederation
{
    /// <summary>The trigger: the last row's four rightmost pixels at full ink.</summary>
    private static readonly int[] TriggerPixels = [60, 61, 62, 63];

    private const int TriggerLabel = 0;

    // Samples of the trusted client, as in the FLTrust paper.
    private const int RootSamples = 100;

    // The softmax model's honest updates are about 1 long; both bounds let them pass.
    private const double Bound = 1.5;

    private readonly AttackOptions _options;
    private readonly Attack _attack;
    private readonly string _ruleName;
    private readonly RobustRule _rule;
    private readonly long _seed;
    private readonly TrainingSpec _training = new() { Epochs = 5, BatchSize = 32, LearningRate = 0.1 };
    private readonly LocalSgd _solver = new();
    private readonly ModelState _model;
    private readonly DenseClassifier[] _clients;
    private readonly DenseClassifier[] _poisoned;
    private readonly DenseClassifier _root;
    private readonly DenseClassifier _test;
    private readonly DenseClassifier _triggered;
    private readonly double[] _weights;
    private readonly Dictionary<RowRole, float[]> _extra;

    public AttackFederation(AttackOptions options, LabelledSamples digits, PartitionChoice partition, string rule, Attack attack, long seed)
    {
        (_options, _attack, _ruleName, _seed) = (options, attack, rule, seed);
        _rule = Rule(options, rule);
        var (training, test) = digits.Split(Digits.HeldOutShare, seed);
        _model = Architectures.Initialize(new ArchitectureSpec { Name = Architectures.Softmax, Inputs = Digits.Features, Outputs = Digits.Classes }, seed);
        var parts = partition.Deal(training, options.Clients, seed);
        _clients = [.. parts.Select(part => new DenseClassifier(_model.Layout, training.Subset(part)))];
        _poisoned = [.. parts.Take(options.Liars).Select(part => new DenseClassifier(_model.Layout, Poison(training.Subset(part), attack.Poisoning)))];
        _weights = [.. parts.Select(part => (double)part.Length)];
        var trusted = Enumerable.Range(0, training.Count).ToArray();
        DeterministicRandom.Derive(seed, "attack-root").Shuffle<int>(trusted);
        _root = new DenseClassifier(_model.Layout, training.Subset(trusted.AsSpan(0, RootSamples)));
        _test = new DenseClassifier(_model.Layout, test);
        var others = Enumerable.Range(0, test.Count).Where(i => test.Label(i) != TriggerLabel).ToArray();
        _triggered = new DenseClassifier(_model.Layout, Relabel(test.Subset(others), (_, _) => TriggerLabel, _ => true));
        _extra = new() { [RowRole.Previous] = new float[_model.Values.Length], [RowRole.Root] = [] };
    }

    /// <summary>The rule with the laboratory's numbers.</summary>
    public static RobustRule Rule(AttackOptions options, string rule) => new(new RobustOptions
    {
        Rule = rule,
        Byzantine = options.Liars,
        ClipRadius = Bound,
        NormBound = Bound,
        Mixing = rule is AggregationRules.WeightedMean or AggregationRules.NormBounding or AggregationRules.FlTrust ? AggregationRules.NoMixing : options.Mixing,
    });

    /// <summary>Trains to the end.</summary>
    public AttackOutcome Run(CancellationToken cancellationToken)
    {
        for (var round = 1; round <= _options.Rounds; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (RunRound(round) is { } refusal)
            {
                return new AttackOutcome(null, null, null, refusal);
            }
        }

        return new AttackOutcome(Accuracy(_test), Accuracy(_triggered), _clients.Skip(_options.Liars).Min(Accuracy), null);

        double? Accuracy(DenseClassifier data) => data.Evaluate(_model, cancellationToken).Accuracy;
    }

    private string? RunRound(int round)
    {
        float[][] honest = [.. Enumerable.Range(_options.Liars, _clients.Length - _options.Liars).Select(i => Train(_clients[i], round, i))];
        float[][] own = [.. Enumerable.Range(0, _options.Liars).Select(i => Train(_clients[i], round, i))];
        float[][] poisoned = _attack.Poisoning == Poisoning.None ? own : [.. Enumerable.Range(0, _options.Liars).Select(i => Train(_poisoned[i], round, i))];
        _extra[RowRole.Root] = Train(_root, round, _clients.Length);
        double[] weights = [.. _weights.Skip(_options.Liars), .. _weights.Take(_options.Liars)];
        var scene = new AttackScene(
            honest, own, poisoned, _ruleName, updates => Aggregate(updates, weights, round).Aggregate,
            DeterministicRandom.Derive(_seed, "attack", round));
        var (refusal, aggregate) = Aggregate([.. honest, .. _attack.Poison(scene)], weights, round);
        if (aggregate is null)
        {
            return refusal;
        }

        for (var i = 0; i < aggregate.Length; i++)
        {
            _model.Values[i] = (float)(_model.Values[i] + aggregate[i]);
            _extra[RowRole.Previous][i] = (float)aggregate[i];
        }

        return FiniteValues.All(_model.Values) ? null : "the model is not finite";
    }

    private (string? Refusal, double[]? Aggregate) Aggregate(IReadOnlyList<float[]> updates, double[] weights, int round)
    {
        var aggregate = new double[_model.Values.Length];
        var pass = UpdateMatrix.Aggregate(_rule, updates, weights, _extra, DeterministicRandom.Derive(_seed, "attack-buckets", round), aggregate);
        return pass.Refusal is null ? (null, aggregate) : (pass.Refusal, null);
    }

    private float[] Train(DenseClassifier data, int round, int client)
    {
        var local = _model.Clone();
        _solver.Fit(data, local, _training, DeterministicRandom.DeriveSeed(_seed, "attack-client", round, client));
        for (var i = 0; i < local.Values.Length; i++)
        {
            local.Values[i] -= _model.Values[i];
        }

        return local.Values;
    }

    private static LabelledSamples Poison(LabelledSamples samples, Poisoning poisoning) => poisoning switch
    {
        Poisoning.LabelFlip => Relabel(samples, (_, label) => Digits.Classes - 1 - label, _ => false),
        Poisoning.Trigger => Relabel(samples, (i, label) => i % 2 == 0 ? TriggerLabel : label, i => i % 2 == 0),
        _ => samples,
    };

    private static LabelledSamples Relabel(LabelledSamples samples, Func<int, int, int> label, Func<int, bool> hasTrigger)
    {
        var features = new float[samples.Count * samples.FeatureCount];
        var labels = new int[samples.Count];
        for (var i = 0; i < samples.Count; i++)
        {
            var row = features.AsSpan(i * samples.FeatureCount, samples.FeatureCount);
            samples.Features(i).CopyTo(row);
            labels[i] = label(i, samples.Label(i));
            foreach (var pixel in hasTrigger(i) ? TriggerPixels : [])
            {
                row[pixel] = 1;
            }
        }

        return new LabelledSamples(features, labels, samples.FeatureCount, samples.ClassCount);
    }
}

/// <summary>How a federation under attack ended.</summary>
/// <param name="Accuracy">On held-out digits after the last round, or null when the rule refused.</param>
/// <param name="Backdoor">Share of held-out digits with the trigger that are taken for its label, those of that label left out; or null.</param>
/// <param name="WorstServed">The lowest accuracy that an honest client has on its own samples: whom the rule leaves behind; or null.</param>
/// <param name="Refusal">Why the rule refused, or null.</param>
internal sealed record AttackOutcome(double? Accuracy, double? Backdoor, double? WorstServed, string? Refusal);
