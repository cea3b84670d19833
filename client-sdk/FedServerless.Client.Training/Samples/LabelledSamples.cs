using System.Numerics.Tensors;
using FedServerless.Numerics;

namespace FedServerless.Client.Training;

/// <summary>Samples for classification, in memory: a row of float32 features and a class for each. Immutable.</summary>
public sealed class LabelledSamples
{
    private readonly float[] _features;
    private readonly int[] _labels;

    /// <summary>Wraps arrays without copying; the caller leaves them alone from then on.</summary>
    /// <param name="features">Row major, <paramref name="featureCount"/> finite values a sample.</param>
    /// <param name="labels">One class a sample, each in [0, <paramref name="classCount"/>).</param>
    /// <param name="featureCount">Features of a sample, 1 or more.</param>
    /// <param name="classCount">Classes, 1 or more.</param>
    /// <exception cref="ArgumentException">The lengths do not fit, a feature is not finite, or a label is out of range.</exception>
    public LabelledSamples(float[] features, int[] labels, int featureCount, int classCount)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentOutOfRangeException.ThrowIfLessThan(featureCount, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(classCount, 1);
        if (features.LongLength != (long)labels.Length * featureCount)
        {
            throw new ArgumentException(
                $"{labels.Length} samples of {featureCount} features need {(long)labels.Length * featureCount} values, not {features.Length}.",
                nameof(features));
        }

        if (features.Length > 0 && !TensorPrimitives.IsFiniteAll<float>(features))
        {
            var at = Array.FindIndex(features, value => !float.IsFinite(value));
            throw new ArgumentException($"Feature {at % featureCount} of sample {at / featureCount} is {features[at]}; expected a finite number.", nameof(features));
        }

        var wrong = Array.FindIndex(labels, label => label < 0 || label >= classCount);
        if (wrong >= 0)
        {
            throw new ArgumentException($"The label of sample {wrong} is {labels[wrong]}; expected 0 to {classCount - 1}.", nameof(labels));
        }

        _features = features;
        _labels = labels;
        FeatureCount = featureCount;
        ClassCount = classCount;
    }

    /// <summary>Number of samples.</summary>
    public int Count => _labels.Length;

    /// <summary>Features of a sample.</summary>
    public int FeatureCount { get; }

    /// <summary>Classes that a label may name.</summary>
    public int ClassCount { get; }

    /// <summary>Every sample's class, in order.</summary>
    public ReadOnlySpan<int> Labels => _labels;

    /// <summary>The features of one sample.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such sample.</exception>
    public ReadOnlySpan<float> Features(int sample)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)sample, (uint)Count, nameof(sample));
        return _features.AsSpan(sample * FeatureCount, FeatureCount);
    }

    /// <summary>The class of one sample.</summary>
    public int Label(int sample) => _labels[sample];

    /// <summary>A copy of some samples, in the order of <paramref name="indices"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index names no sample.</exception>
    public LabelledSamples Subset(ReadOnlySpan<int> indices)
    {
        var features = new float[indices.Length * FeatureCount];
        var labels = new int[indices.Length];
        for (var i = 0; i < indices.Length; i++)
        {
            Features(indices[i]).CopyTo(features.AsSpan(i * FeatureCount));
            labels[i] = Label(indices[i]);
        }

        return new LabelledSamples(features, labels, FeatureCount, ClassCount);
    }

    /// <summary>Shuffles by <paramref name="seed"/> and cuts: the first <c>round(share · Count)</c> are held out, the rest is to train on.</summary>
    /// <param name="heldOutShare">Share to hold out, 0 to 1.</param>
    /// <param name="seed">Where the permutation comes from.</param>
    public (LabelledSamples Training, LabelledSamples HeldOut) Split(double heldOutShare, long seed)
    {
        if (heldOutShare is not (>= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(heldOutShare), heldOutShare, "Expected 0 to 1.");
        }

        var order = Enumerable.Range(0, Count).ToArray();
        DeterministicRandom.Derive(seed, "held-out").Shuffle<int>(order);
        var heldOut = (int)Math.Round(heldOutShare * Count, MidpointRounding.AwayFromZero);
        return (Subset(order.AsSpan(heldOut)), Subset(order.AsSpan(0, heldOut)));
    }
}
