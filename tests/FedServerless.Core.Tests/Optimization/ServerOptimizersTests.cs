using FedServerless.Core.Tests.Numerics;
using FedServerless.Core.Tests.Oracles;
using FedServerless.Optimization;
using FedServerless.Wire;

namespace FedServerless.Core.Tests.Optimization;

public class ServerOptimizersTests
{
    public static TheoryData<string> Names => [.. ServerOptimizers.Names];

    [Fact]
    public void Names_AreThoseOfThePaper() =>
        Assert.Equal(["fedadagrad", "fedadam", "fedavg", "fedavgm", "fedyogi"], ServerOptimizers.Names);

    [Fact]
    public void Create_UnknownName_ListsWhatExists()
    {
        var refusal = Assert.Throws<ArgumentException>(() => ServerOptimizers.Create(new OptimizerSpec { Name = "adam" }));

        Assert.Contains("'adam'", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("fedadam", refusal.Message, StringComparison.Ordinal);
    }

    // PITFALLS 43, 44.
    // The paper's algorithm in numpy float64 without rounding the state; ours rounds weights and state to float32 a step.
    [Fact]
    public void TryApply_SixSteps_FollowsThePaperInNumpy() => Assert.All(Oracle.Load<OptimizerOracle>("server_optimizers.json"), oracle =>
    {
        var run = new Run(Spec(oracle), oracle.Weights);
        foreach (var (delta, expected) in oracle.Deltas.Zip(oracle.Steps))
        {
            Assert.True(run.Step(delta));
            Close(expected.Weights, run.Weights, relative: 1e-6, absolute: 1e-6);
            Close(expected.Momentum, run.State("momentum"), relative: 1e-6, absolute: 1e-7);
            Close(expected.Variance, run.State("variance"), relative: 2e-6, absolute: 1e-12);
        }
    });

    [Fact]
    public void TryApply_FedAvgAtRateOne_AddsTheDelta()
    {
        var run = new Run(new OptimizerSpec(), [1f, 2f]);

        Assert.True(run.Step([0.5, -0.25]));

        Assert.Equal([1.5f, 1.75f], run.Weights);
    }

    // PITFALLS 44.
    [Fact]
    public void TryApply_FedAvgM_FirstStepIsTheDeltaAndThereIsNoOneMinusBeta()
    {
        var run = new Run(new OptimizerSpec { Name = "fedavgm", LearningRate = 0.5, Beta1 = 0.5 }, [0f]);

        Assert.True(run.Step([8]));
        Assert.Equal([4f], run.Weights);

        Assert.True(run.Step([8]));
        Assert.Equal([12f], run.State("momentum"));
        Assert.Equal([10f], run.Weights);
    }

    // PITFALLS 43: v₀ = τ², τ outside the root.
    // v0 = tau^2 = 1/16; m = delta/2; tau stands outside the root.
    [Theory]
    [InlineData("fedadagrad", 0.0625f + 4f)]
    [InlineData("fedadam", (0.0625f + 4f) / 2)]
    [InlineData("fedyogi", 0.0625f + 2f)]
    public void TryApply_AdaptiveFirstStep_IsTheStepByHand(string name, float variance)
    {
        var run = new Run(new OptimizerSpec { Name = name, LearningRate = 0.1, Beta1 = 0.5, Beta2 = 0.5, Tau = 0.25 }, [10f]);
        Assert.Equal([0.0625f], run.State("variance"));

        Assert.True(run.Step([-2]));

        Assert.Equal([-1f], run.State("momentum"));
        Assert.Equal([variance], run.State("variance"));
        Assert.Equal([(float)(10 + (0.1 * -1 / (Math.Sqrt(variance) + 0.25)))], run.Weights);
    }

    // PITFALLS 43: sign(0) = 0.
    [Fact]
    public void TryApply_YogiWhereVarianceIsTheSquare_LeavesItStanding()
    {
        var run = new Run(new OptimizerSpec { Name = "fedyogi", Tau = 0.5 }, [0f]);

        Assert.True(run.Step([0.5]));

        Assert.Equal([0.25f], run.State("variance"));
    }

    [Fact]
    public void TryApply_YogiWhereVarianceIsLarger_FallsByTheSquare()
    {
        var run = new Run(new OptimizerSpec { Name = "fedyogi", Tau = 1, Beta2 = 0.5 }, [0f]);

        Assert.True(run.Step([0.5]));

        Assert.Equal([0.875f], run.State("variance"));
    }

    // PITFALLS 43: the delta is added.
    [Theory]
    [MemberData(nameof(Names))]
    public void TryApply_PositiveDelta_MovesWithItNeverAgainst(string name)
    {
        var run = new Run(new OptimizerSpec { Name = name, LearningRate = 0.1 }, [1f, 1f]);

        Assert.True(run.Step([0.3, -0.3]));

        Assert.True(run.Weights[0] > 1 && run.Weights[1] < 1);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TryApply_AnySharding_HasTheSameBytes(string name)
    {
        const int n = 257;
        var spec = new OptimizerSpec { Name = name, LearningRate = 0.07 };
        var weights = Vectors.Mild(n, 1);
        double[] delta = [.. Vectors.Mild(n, 2).Select(value => value / 3.0)];
        var whole = new Run(spec, weights);
        Assert.True(whole.Step(delta) && whole.Step(delta));

        foreach (var shard in new[] { 1, 2, 16, 100, 256 })
        {
            for (var start = 0; start < n; start += shard)
            {
                var range = start..Math.Min(start + shard, n);
                var part = new Run(spec, weights[range]);
                Assert.True(part.Step(delta[range]) && part.Step(delta[range]));
                Assert.Equal(Vectors.Bits(whole.Weights.AsSpan(range)), Vectors.Bits(part.Weights));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TryApply_InPlace_IsTheSameStep(string name)
    {
        var optimizer = ServerOptimizers.Create(new OptimizerSpec { Name = name });
        var apart = new Run(new OptimizerSpec { Name = name }, [1f, 2f, 3f]);
        Assert.True(apart.Step([0.1, 0.2, -0.3]));

        float[] weights = [1f, 2f, 3f];
        var state = Run.InitialState(optimizer, 3);
        Assert.True(optimizer.TryApply(weights, [0.1, 0.2, -0.3], state, weights, state));

        Assert.Equal(apart.Weights, weights);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TryApply_ResultNotFinite_IsReported(string name)
    {
        foreach (var poison in new[] { double.NaN, double.PositiveInfinity, double.NegativeInfinity, 1e300 })
        {
            Assert.False(new Run(new OptimizerSpec { Name = name }, [1f, 1f, 1f]).Step([0.1, poison, 0.1]));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TryApply_WeightsThatOverflowFloat32_AreReported(string name) =>
        Assert.False(new Run(new OptimizerSpec { Name = name, LearningRate = 1000 }, [float.MaxValue]).Step([1e38]));

    [Theory]
    [MemberData(nameof(Names))]
    public void TryApply_ZeroDeltaFromTheStart_LeavesTheWeights(string name)
    {
        var run = new Run(new OptimizerSpec { Name = name }, [1f, -2f]);

        Assert.True(run.Step([0, 0]));

        Assert.Equal([1f, -2f], run.Weights);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TryApply_NoCoordinates_IsFine(string name) => Assert.True(new Run(new OptimizerSpec { Name = name }, []).Step([]));

    [Theory]
    [MemberData(nameof(Names))]
    public void TryApply_LengthThatDoesNotFit_Throws(string name)
    {
        var optimizer = ServerOptimizers.Create(new OptimizerSpec { Name = name });
        var state = Run.InitialState(optimizer, 2);

        Assert.Throws<ArgumentOutOfRangeException>(() => optimizer.TryApply(new float[2], new double[1], state, new float[2], state));
        Assert.Throws<ArgumentOutOfRangeException>(() => optimizer.TryApply(new float[2], new double[2], state, new float[3], state));
        Assert.Throws<ArgumentOutOfRangeException>(() => optimizer.TryApply(new float[2], new double[2], new float[state.Length + 1], new float[2], state));
        Assert.Throws<ArgumentOutOfRangeException>(() => optimizer.TryApply(new float[2], new double[2], state, new float[2], new float[state.Length + 1]));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void InitialState_OutsideTheStateNames_Throws(string name)
    {
        var optimizer = ServerOptimizers.Create(new OptimizerSpec { Name = name });

        Assert.Throws<ArgumentOutOfRangeException>(() => optimizer.InitialState(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => optimizer.InitialState(optimizer.StateNames.Count));
    }

    private static OptimizerSpec Spec(OptimizerOracle oracle) => new()
    {
        Name = oracle.Name, LearningRate = oracle.LearningRate, Beta1 = oracle.Beta1, Beta2 = oracle.Beta2, Tau = oracle.Tau,
    };

    private static void Close(double[] expected, float[] actual, double relative, double absolute)
    {
        for (var i = 0; i < actual.Length; i++)
        {
            Assert.InRange(actual[i], expected[i] - Slack(expected[i]), expected[i] + Slack(expected[i]));
        }

        double Slack(double value) => absolute + (relative * Math.Abs(value));
    }

    /// <summary>A model of a few weights and its optimizer's state, step by step.</summary>
    private sealed class Run(OptimizerSpec spec, float[] weights)
    {
        private readonly IServerOptimizer _optimizer = ServerOptimizers.Create(spec);
        private float[] _state = InitialState(ServerOptimizers.Create(spec), weights.Length);

        public float[] Weights { get; private set; } = weights;

        public static float[] InitialState(IServerOptimizer optimizer, int n) =>
            [.. Enumerable.Range(0, optimizer.StateNames.Count).SelectMany(k => Enumerable.Repeat(optimizer.InitialState(k), n))];

        /// <summary>One state tensor; empty where the optimizer has none of that name.</summary>
        public float[] State(string name)
        {
            var k = _optimizer.StateNames.ToList().IndexOf(name);
            return k < 0 ? [] : _state.AsSpan(k * Weights.Length, Weights.Length).ToArray();
        }

        public bool Step(double[] delta)
        {
            var (next, state) = (new float[Weights.Length], new float[_state.Length]);
            var finite = _optimizer.TryApply(Weights, delta, _state, next, state);
            (Weights, _state) = (next, state);
            return finite;
        }
    }

    private sealed record OptimizerOracle(
        string Name, double LearningRate, double Beta1, double Beta2, double Tau, float[] Weights, double[][] Deltas, OptimizerStep[] Steps);

    private sealed record OptimizerStep(double[] Weights, double[] Momentum, double[] Variance);
}
