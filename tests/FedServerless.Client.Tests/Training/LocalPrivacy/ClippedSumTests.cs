using FedServerless.Client.Tests.Oracles;
using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Privacy;

namespace FedServerless.Client.Tests.Training.LocalPrivacy;

// PITFALLS 7: one norm over all parameters, in double, per example; a zero and a non-finite one handled.
public sealed class ClippedSumTests
{
    public sealed record Network(
        int[] Widths, double Clip, float[] Parameters, float[] Features, int[] Labels, int Clipped, double[] PerSample, double[] PerBatch);

    [Fact]
    public void Add_Networks_GiveNumpysSumOfClippedGradients() => Assert.All(Oracle.Load<Network>("clipped_sums.json"), oracle =>
    {
        var actual = Sum(oracle);

        // The grid is rounded to, sample by sample: half a step and what clipping after rounding takes.
        var tolerance = oracle.Clip * oracle.Labels.Length / 500;
        Assert.All(actual.Zip(oracle.PerSample), pair => Assert.Equal(pair.Second, pair.First, tolerance));
    });

    // Convolutions: the oracle is numpy's gradient of single samples, clipped here by the definition.
    [Fact]
    public void Add_ConvolutionsOneSampleEach_GiveNumpysClippedGradients()
    {
        var oracles = Oracle.Load<ConvClassifierTests.Network>("conv_gradients.json").Where(oracle => oracle.Labels.Length == 1).ToArray();
        Assert.NotEmpty(oracles);
        Assert.All(oracles, oracle =>
        {
            var spec = ConvSamples.Spec(oracle.Image, oracle.Convolutions, oracle.Widths);
            var layout = Architectures.Layout(spec);
            var norm = Math.Sqrt(oracle.Gradient.Sum(value => value * value));
            foreach (var clip in new[] { norm / 2, norm * 2 })
            {
                var grid = new UpdateGrid(clip, UpdateGrid.BitsFor(oracle.Parameters.Length));
                var sums = new long[oracle.Parameters.Length];
                new ClippedSum(BuiltInModel.Bind(layout, new LabelledSamples(oracle.Features, oracle.Labels, spec.Inputs, spec.Outputs)), grid)
                    .Add(new ModelState(layout, oracle.Parameters, []), 0, new float[sums.Length], sums);

                Assert.All(
                    oracle.Gradient.Zip(sums),
                    pair => Assert.Equal(pair.First * Math.Min(1, clip / norm), pair.Second * grid.Step, clip / 500));
            }
        });
    }

    // A sample's gradient is of it alone, whatever was in the batch before: the sum is of single gradients.
    [Fact]
    public void Add_SamplesOfAConvolution_IsTheSumOfEachClippedAlone()
    {
        var samples = ConvSamples.Samples(ConvSamples.DigitsNet, 5, seed: 1);
        var model = ConvSamples.Model(ConvSamples.DigitsNet, seed: 2);
        var grid = new UpdateGrid(0.5, UpdateGrid.BitsFor(model.Values.Length));
        var (together, alone) = (new long[model.Values.Length], new long[model.Values.Length]);
        var kept = new ClippedSum(BuiltInModel.Bind(model.Layout, samples), grid);
        for (var sample = 0; sample < samples.Count; sample++)
        {
            kept.Add(model, sample, new float[model.Values.Length], together);
            new ClippedSum(BuiltInModel.Bind(model.Layout, samples.Subset([sample])), grid).Add(model, 0, new float[model.Values.Length], alone);
        }

        Assert.Equal(alone, together);
        Assert.Contains(together, value => value != 0);
    }

    [Fact]
    public void Add_BatchOfNetworks_IsNotTheClippedMean()
    {
        var oracle = Oracle.Load<Network>("clipped_sums.json")[0];

        // The same comparison as above would fail, and not by rounding.
        var distance = Sum(oracle).Zip(oracle.PerBatch).Max(pair => Math.Abs(pair.First - pair.Second));

        Assert.True(distance > 10 * oracle.Clip * oracle.Labels.Length / 500);
    }

    [Fact]
    public void Add_OneLongAndOneShortGradient_OnlyTheLongOneIsClipped()
    {
        // Gradients at 0 are −c: (−3, −4) becomes (−0.6, −0.8), (0.3, 0) stays. Their clipped mean would point elsewhere.
        var sums = Sum(new QuadraticModel(1, [3f, 4f], [-0.3f, 0f]), clip: 1, out var grid);

        Assert.Equal([-0.3, -0.8], sums.Select(sum => sum * grid.Step), (a, b) => Math.Abs(a - b) < 1e-3);
    }

    [Fact]
    public void Add_ZeroGradient_AddsNothing() =>
        Assert.Equal([0L, 0L], Sum(new QuadraticModel(1, [0f, 0f]), clip: 1, out _));

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Add_GradientNotFinite_AddsNothingAndDoesNotTell(float value) =>
        Assert.Equal([0L, -1024L], Sum(new QuadraticModel(1, [value, 1f], [0f, 0.25f]), clip: 1, out _));

    [Fact]
    public void Add_AnyGradient_MovesTheSumByAtMostTheClipInIntegers()
    {
        var samples = TrainingSamples.Random(50, 300, 2, seed: 3);
        for (var sample = 0; sample < samples.Count; sample++)
        {
            var centre = samples.Features(sample).ToArray().Select(value => value * MathF.Pow(10, sample - 25)).ToArray();
            var sums = Sum(new QuadraticModel(1, centre), clip: 0.7, out var grid);

            Assert.True(sums.Aggregate(UInt128.Zero, (total, sum) => total + (UInt128)(sum * sum)) <= (UInt128)(grid.StepsPerClip * grid.StepsPerClip));
        }
    }

    private static double[] Sum(Network oracle)
    {
        var samples = new LabelledSamples(oracle.Features, oracle.Labels, oracle.Widths[0], oracle.Widths[^1]);
        var layout = Architectures.Layout(TrainingSamples.Spec(oracle.Widths));
        var grid = new UpdateGrid(oracle.Clip, UpdateGrid.BitsFor(oracle.Parameters.Length));
        var sums = new long[oracle.Parameters.Length];
        var sum = new ClippedSum(new DenseClassifier(layout, samples), grid);
        var gradient = new float[sums.Length];
        for (var sample = 0; sample < samples.Count; sample++)
        {
            sum.Add(new ModelState(layout, oracle.Parameters, []), sample, gradient, sums);
        }

        return [.. sums.Select(value => value * grid.Step)];
    }

    private static long[] Sum(QuadraticModel objective, double clip, out UpdateGrid grid)
    {
        var sums = new long[objective.Layout.ParameterCount];
        grid = new UpdateGrid(clip, UpdateGrid.BitsFor(sums.Length));
        var sum = new ClippedSum(objective, grid);
        for (var sample = 0; sample < objective.SampleCount; sample++)
        {
            sum.Add(objective.State(new float[sums.Length]), sample, new float[sums.Length], sums);
        }

        return sums;
    }
}
