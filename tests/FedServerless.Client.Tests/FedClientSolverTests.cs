using FedServerless.Client.Tests.Support;
using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Client.Tests;

/// <summary>
/// PITFALLS 45: the control variate lives on the client and settles like a residual. Expected values are the papers' formulas, written here once more,
/// on the deltas that the server can decode: SCAFFOLD's cᵢ⁺ = cᵢ − c − Δ/(K·η), FedDyn's gᵢ⁺ = gᵢ − α·Δ.
/// </summary>
public sealed class FedClientSolverTests
{
    private const int Parameters = 3000;
    private const int Members = 4;
    private const double Alpha = 0.5;

    // 3 epochs of 60 samples in batches of 32: the partial batch is a step, too. Rate 0.1.
    private const double StepsTimesRate = 6 * 0.1;

    [Fact]
    public async Task RunOnceAsync_FirstRound_BeginsWithoutCorrection()
    {
        using var device = MakeDevice(out var trainer);

        await CommitAsync(device, 1);

        Assert.All(trainer.Corrections[1], value => Assert.Equal(0f, value));
        Assert.Equal(Parameters, trainer.Corrections[1].Length);
    }

    [Theory]
    [InlineData("float32")]
    [InlineData("int8")]
    public async Task RunOnceAsync_Included_CorrectsByTheMeanLessItsOwn(string codec)
    {
        using var device = MakeDevice(out var trainer);
        device.Lease = device.Lease with { Update = device.Lease.Update with { Codec = codec } };
        await CommitAsync(device, 1);
        device.Server.Fates[1] = ReceiptStates.Included;
        OfferSum(device);

        await CommitAsync(device, 2);

        var own = device.Sent(1).Select(delta => (float)(-delta / StepsTimesRate)).ToArray();
        Close(own.Select((value, i) => Mean(i) - value), trainer.Corrections[2]);
        Assert.Contains(new StateSettled("digits", "control", Device.Run, 1, ReceiptStates.Included), device.Events);
        device.Server.Fates[2] = ReceiptStates.Included;

        await CommitAsync(device, 3);

        var second = device.Sent(2);
        Close(own.Select((value, i) => Mean(i) - (value - Mean(i) - (second[i] / StepsTimesRate))), trainer.Corrections[3]);
    }

    [Fact]
    public async Task RunOnceAsync_FedDyn_SubtractsItsOwnAndDownloadsNoSum()
    {
        using var device = MakeDevice(out var trainer);
        device.Lease = device.Lease with { Training = device.Lease.Training with { Solver = "feddyn", ProximalMu = Alpha } };
        await CommitAsync(device, 1);
        device.Server.Fates[1] = ReceiptStates.Included;

        await CommitAsync(device, 2);

        Close(device.Sent(1).Select(delta => Alpha * delta), trainer.Corrections[2]);
    }

    [Theory]
    [InlineData(ReceiptStates.Excluded)]
    [InlineData(ReceiptStates.Abandoned)]
    public async Task RunOnceAsync_NotInTheModel_StaysWhatItWas(string fate)
    {
        using var device = MakeDevice(out var trainer);
        await CommitAsync(device, 1);
        device.Server.Fates[1] = fate;

        await CommitAsync(device, 2);

        Assert.All(trainer.Corrections[2], value => Assert.Equal(0f, value));
        Assert.Empty(device.Events.OfType<StateReset>());
    }

    [Fact]
    public async Task RunOnceAsync_ForgottenPastRetention_BeginsAtZeroAndSaysSo()
    {
        using var device = MakeDevice(out var trainer);
        await CommitAsync(device, 1);
        device.Server.Fates[1] = ReceiptStates.Unknown;

        await CommitAsync(device, 2);

        Assert.All(trainer.Corrections[2], value => Assert.Equal(0f, value));
        Assert.Equal("control", Assert.Single(device.Events.OfType<StateReset>()).Kind);
    }

    [Fact]
    public async Task RunOnceAsync_OtherRounds_BeginsAtZero()
    {
        using var device = MakeDevice(out var trainer);
        await CommitAsync(device, 1);
        device.Server.Fates[1] = ReceiptStates.Included;
        device.Lease = device.Lease with { Solver = device.Lease.Solver! with { Since = "another-r1" } };

        await CommitAsync(device, 2);

        Assert.All(trainer.Corrections[2], value => Assert.Equal(0f, value));
    }

    [Theory]
    [InlineData(ReceiptStates.Committed)]
    [InlineData(ReceiptStates.Late)]
    public async Task RunOnceAsync_Undecided_TakesNoSuchWorkUntilItIs(string state)
    {
        using var device = MakeDevice(out var trainer);
        await CommitAsync(device, 1);
        device.Server.Fates[1] = state;
        device.Offer(device.Lease with { Round = 2 });

        var waiting = await device.StepAsync();
        device.Server.Fates[1] = ReceiptStates.Included;
        var step = await device.StepAsync();

        Assert.Equal((FedStepOutcome.GaveUp, FedStepOutcome.Committed), (waiting.Outcome, step.Outcome));
        Assert.Equal(2, trainer.Corrections.Count);
    }

    [Fact]
    public async Task RunOnceAsync_TrainerThatAddsNoCorrections_LeavesTheRoundToOthers()
    {
        using var device = MakeDevice(out _);
        device.Trainer = FedTrainer.Create(_ => throw new InvalidOperationException("It is not asked."));
        device.Offer(device.Lease);

        var step = await device.StepAsync();

        Assert.Equal(FedStepOutcome.GaveUp, step.Outcome);
        Assert.Contains("scaffold", step.Reason, StringComparison.Ordinal);
        Assert.Equal(0, device.Fits);
    }

    public static TheoryData<string, Func<TrainLease, TrainLease>> Unusable => new()
    {
        { "newer SDK", lease => lease with { Training = lease.Training with { Solver = "mime" } } },
        { "what that needs", lease => lease with { Solver = null } },
        { "solver.clients", lease => lease with { Solver = lease.Solver! with { Clients = 0 } } },
        { "solver.sum.bytes", lease => lease with { Solver = lease.Solver! with { Sum = lease.Base with { Bytes = 0 } } } },
        { "parameters", lease => lease with { Solver = lease.Solver! with { Sum = lease.Base } } },
    };

    [Theory]
    [MemberData(nameof(Unusable))]
    public async Task RunOnceAsync_LeaseThatMakesNoSense_IsRefusedWithTheReason(string reason, Func<TrainLease, TrainLease> change)
    {
        using var device = MakeDevice(out var trainer);
        device.Offer(change(device.Lease));

        var step = await device.StepAsync();

        Assert.Equal(FedStepOutcome.GaveUp, step.Outcome);
        Assert.Contains(reason, step.Reason, StringComparison.Ordinal);
        Assert.Empty(trainer.Corrections);
    }

    // A client that dies after it has updated its vector and before its receipt, and everywhere else.
    [Fact]
    public async Task RunOnceAsync_KilledAtEachStateWrite_CorrectsTheSame()
    {
        var steps = 0;
        var expected = await ThreeRoundsAsync(device => device.Options = device.Options with { OnStateWrite = _ => steps++ });
        Assert.True(steps > 12);
        for (var at = 0; at < steps; at++)
        {
            var step = 0;
            var actual = await ThreeRoundsAsync(device => device.Options = device.Options with
            {
                OnStateWrite = _ =>
                {
                    if (step++ == at)
                    {
                        throw new KilledException();
                    }
                },
            });

            Assert.Equal(expected, actual);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RunOnceAsync_KilledAtEachRequest_CorrectsTheSame(bool after)
    {
        var requests = 0;
        var expected = await ThreeRoundsAsync(device => device.Server.FaultAt = (n, _) =>
        {
            requests = n + 1;
            return null;
        });
        for (var at = 0; at < requests; at++)
        {
            Assert.Equal(expected, await ThreeRoundsAsync(device =>
            {
                device.Server.OnKill = () => throw new KilledException();
                device.Server.FaultAt = (n, _) => n == at ? new Fault.Kill(after) : null;
            }));
        }
    }

    private static double Mean(int i) => Sum(i) / (double)Members;

    private static float Sum(int i) => (i % 5) - 2;

    private static Device MakeDevice(out CorrectedTrainer trainer)
    {
        var device = new Device(Parameters);
        device.Trainer = trainer = new CorrectedTrainer();
        device.Lease = device.Lease with
        {
            Training = new TrainingSpec { Solver = "scaffold", Epochs = 3, LearningRate = 0.1 },
            Solver = new SolverLease($"{Device.Run}-r1", Members, null),
        };
        return device;
    }

    private static void OfferSum(Device device)
    {
        var layout = TensorLayout.Create([new TensorSpec("sum", [Parameters], TensorRole.Parameter)]);
        var bytes = ModelStateFile.ToBytes(new ModelState(layout, [.. Enumerable.Range(0, Parameters).Select(Sum)], []));
        device.Server.Models["/models/sum"] = bytes;
        device.Lease = device.Lease with
        {
            Solver = device.Lease.Solver! with { Sum = new ModelArtifact("/models/sum?sig=1", bytes.Length, Digest.Of(bytes), layout.Digest) },
        };
    }

    private static async Task CommitAsync(Device device, int round)
    {
        device.Offer(device.Lease with { Round = round });
        await device.UntilCommittedAsync(most: 1);
    }

    private static async Task<float[]> ThreeRoundsAsync(Action<Device> prepare)
    {
        using var device = MakeDevice(out var trainer);
        OfferSum(device);
        prepare(device);
        string[] fates = [ReceiptStates.Included, ReceiptStates.Abandoned, ReceiptStates.Included];
        for (var round = 1; round <= 3; round++)
        {
            device.Offer(device.Lease with { Round = round });
            while (device.Server.Receipts.All(receipt => receipt.Round != round))
            {
                try
                {
                    await device.StepAsync();
                }
                catch (KilledException)
                {
                    device.Off();
                }
            }

            device.Server.Fates[round] = fates[round - 1];
        }

        Assert.Empty(device.Events.OfType<StateReset>());
        return [.. device.Sent(1), .. device.Sent(2), .. device.Sent(3), .. trainer.Corrections[3]];
    }

    private static void Close(IEnumerable<double> expected, float[] actual) =>
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 2e-6 * Math.Max(1, Math.Abs(pair.First))));

    /// <summary>One step of rate 1 along the device's deltas, corrected.</summary>
    private sealed class CorrectedTrainer : IFedTrainer
    {
        public Dictionary<int, float[]> Corrections { get; } = [];

        public bool FollowsCorrection => true;

        public ValueTask<FitResult> FitAsync(FitContext context, CancellationToken cancellationToken)
        {
            Corrections[context.Round] = context.Correction.ToArray();
            for (var i = 0; i < context.Model.Parameters.Length; i++)
            {
                context.Model.Parameters[i] += Device.Delta(i) - context.Correction.Span[i];
            }

            return ValueTask.FromResult(new FitResult(60));
        }

        public ValueTask<EvaluationResult> EvaluateAsync(EvaluateContext context, CancellationToken cancellationToken) => throw new NotSupportedException();
    }

    /// <summary>The process is gone: nothing in the client catches this.</summary>
    private sealed class KilledException : Exception;
}
