using FedServerless.Cli.Demo;
using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Cli.Privacy.Planning;

/// <summary>One private federation on the digits, in memory: the SDK's local solver, the mechanism of the core, a server step of 1.</summary>
internal sealed class PrivateFederation
{
    private readonly PrivacyPlanOptions _options;
    private readonly RoundSteps _steps;
    private readonly long _seed;
    private readonly double _rate;
    private readonly LocalSgd _solver = new();
    private readonly ModelState _model;
    private readonly DenseClassifier[] _clients;
    private readonly DenseClassifier _test;
    private readonly double[] _mean;

    /// <summary>A federation before its first round.</summary>
    /// <param name="options">How it trains.</param>
    /// <param name="row">N, q and rounds.</param>
    /// <param name="digits">All samples; a fifth is held out.</param>
    /// <param name="steps">Coins and noise.</param>
    /// <param name="seed">Of the split, the partition and the first model: what is no secret.</param>
    public PrivateFederation(PrivacyPlanOptions options, PrivacyPlanRow row, LabelledSamples digits, RoundSteps steps, long seed)
    {
        (_options, Row, _steps, _seed, _rate) = (options, row, steps, seed, row.SamplingRate);
        var (training, test) = digits.Split(Digits.HeldOutShare, seed);
        _model = Architectures.Initialize(new ArchitectureSpec { Name = Architectures.Softmax, Inputs = Digits.Features, Outputs = Digits.Classes }, seed);
        _clients = [.. options.Partition.Deal(training, (int)row.Clients, seed).Select(part => new DenseClassifier(_model.Layout, training.Subset(part)))];
        _test = new DenseClassifier(_model.Layout, test);
        _mean = new double[_model.Values.Length];
    }

    /// <summary>What it is measured for.</summary>
    public PrivacyPlanRow Row { get; }

    private double Denominator => _rate * _clients.Length;

    /// <summary>Trains to the end.</summary>
    /// <returns>The accuracy on held-out digits after the last round: choosing a better one would cost privacy of its own.</returns>
    public double Run(CancellationToken cancellationToken)
    {
        var (clip, isIn) = (_options.Clip, new bool[_clients.Length]);
        for (var round = 1; round <= Row.Rounds; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _steps.Toss(_rate, isIn);
            var deltas = isIn.Index().Where(coin => coin.Item).Select(coin => Train(coin.Index, round));
            clip = Row.NoiseMultiplier is { } noise ? Private(deltas, clip, noise) : Plain(deltas, clip);
            for (var i = 0; i < _mean.Length; i++)
            {
                _model.Values[i] = (float)(_model.Values[i] + _mean[i]);
            }
        }

        return _test.Evaluate(_model, cancellationToken).Accuracy!.Value;
    }

    private double Private(IEnumerable<float[]> deltas, double clip, double noise)
    {
        var grid = new UpdateGrid(clip, UpdateGrid.BitsFor(_mean.Length));
        var round = _options.Quantile is { } quantile
            ? _steps.Begin(_mean.Length, grid, Denominator, new AdaptiveClip(noise, AdaptiveClip.DefaultBitNoise(Denominator, noise), quantile))
            : _steps.Begin(_mean.Length, grid, Denominator, noise);
        foreach (var delta in deltas)
        {
            round.TryAdd(delta);
        }

        return round.Complete(_mean);
    }

    // The same without noise, so that the difference is what the noise costs and not what clipping does.
    private double Plain(IEnumerable<float[]> deltas, double clip)
    {
        Array.Clear(_mean);
        foreach (var delta in deltas)
        {
            UpdateClip.TryClip(delta, clip, out _);
            for (var i = 0; i < delta.Length; i++)
            {
                _mean[i] += delta[i] / Denominator;
            }
        }

        return clip;
    }

    private float[] Train(int client, int round)
    {
        var local = _model.Clone();
        _solver.Fit(_clients[client], local, _options.Training, DeterministicRandom.DeriveSeed(_seed, "private-client", round, client));
        for (var i = 0; i < local.Values.Length; i++)
        {
            local.Values[i] -= _model.Values[i];
        }

        return local.Values;
    }
}
