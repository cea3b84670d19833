using FedServerless.Client.State;
using FedServerless.Client.Tests.Support;
using FedServerless.Wire;

namespace FedServerless.Client.Tests;

/// <summary>
/// PITFALLS 49: what a codec leaves out is kept on the client, by model, and settled by what the server did with the update. Expected
/// values come from the quantiser below, written from docs/concepts/update-format.md alone.
/// </summary>
public sealed class FedClientErrorFeedbackTests
{
    private const int Parameters = 3000;
    private const int Block = 1024;

    [Fact]
    public async Task RunOnceAsync_Included_SendsWhatWasLeftOutWithTheNextUpdate()
    {
        using var device = MakeDevice();
        await CommitAsync(device, 1);
        device.Server.Fates[1] = ReceiptStates.Included;

        await CommitAsync(device, 2);

        var delta = Deltas();
        Assert.Equal(Decoded(delta), device.Sent(1));
        Assert.Equal(Decoded(Sum(delta, Rest(delta))), device.Sent(2));
        Assert.NotEqual(device.Sent(1), device.Sent(2));
        Assert.Contains(new StateSettled("digits", "residual", Device.Run, 1, ReceiptStates.Included), device.Events);
    }

    [Theory]
    [InlineData(ReceiptStates.Excluded)]
    [InlineData(ReceiptStates.Abandoned)]
    public async Task RunOnceAsync_NotInTheModel_SendsAllOfItAgain(string fate)
    {
        using var device = MakeDevice();
        await CommitAsync(device, 1);
        device.Server.Fates[1] = fate;

        await CommitAsync(device, 2);

        Assert.Equal(Decoded(Sum(Deltas(), Deltas())), device.Sent(2));
    }

    [Fact]
    public async Task RunOnceAsync_ExcludedTwiceInARow_BeginsWithoutWhatGrew()
    {
        using var device = MakeDevice();
        await CommitAsync(device, 1);
        device.Server.Fates[1] = ReceiptStates.Excluded;
        await CommitAsync(device, 2);
        device.Server.Fates[2] = ReceiptStates.Excluded;

        await CommitAsync(device, 3);

        Assert.Equal(Decoded(Deltas()), device.Sent(3));
        Assert.Single(device.Events.OfType<StateReset>());
    }

    [Fact]
    public async Task RunOnceAsync_ExcludedTwiceWithAnIncludedOneBetween_KeepsCarrying()
    {
        using var device = MakeDevice();
        string[] fates = [ReceiptStates.Excluded, ReceiptStates.Included, ReceiptStates.Excluded];
        for (var round = 1; round <= fates.Length; round++)
        {
            await CommitAsync(device, round);
            device.Server.Fates[round] = fates[round - 1];
        }

        await CommitAsync(device, 4);

        Assert.Empty(device.Events.OfType<StateReset>());
    }

    // What came late was not refused: it neither makes the row longer nor ends it.
    [Fact]
    public async Task RunOnceAsync_LateBetweenTwoRefused_BeginsWithoutWhatGrew()
    {
        using var device = MakeDevice();

        await PlayAsync(device, "RLR");
        await CommitAsync(device, 4);

        Assert.Equal(Decoded(Deltas()), device.Sent(4));
        Assert.Single(device.Events.OfType<StateReset>());
    }

    /// <summary>
    /// The law of error feedback: all that went into the model and what is still kept add up to all that training made. I included, L late, A abandoned,
    /// R refused.
    /// </summary>
    [Theory]
    [InlineData("LLLLLI")]
    [InlineData("LLLLLIILI")]
    [InlineData("ILILLAALI")]
    [InlineData("RLLIRAI")]
    [InlineData("LLLLL")]
    public async Task RunOnceAsync_WhateverBecomesOfTheUpdates_IncludedAndResidualAreTheSumOfTheDeltas(string fates)
    {
        using var device = MakeDevice();

        await PlayAsync(device, fates);

        Assert.Empty(device.Events.OfType<StateReset>());
        var included = Enumerable.Range(1, fates.Length).Where(round => fates[round - 1] == 'I').Select(device.Sent).ToArray();
        var kept = Kept(device, fates[^1] == 'I' ? SettlingState.Choice.After : SettlingState.Choice.Otherwise);
        Assert.All(Enumerable.Range(0, Parameters), i =>
            Assert.Equal(fates.Length * (double)Device.Delta(i), included.Sum(sent => (double)sent[i]) + kept[i], fates.Length * 2e-6));
    }

    [Fact]
    public async Task RunOnceAsync_LateFiveTimes_SendsAllSixDeltasAtOnce()
    {
        using var device = MakeDevice();
        await PlayAsync(device, "LLLLL");

        await CommitAsync(device, 6);

        Assert.Equal(Decoded([.. Deltas().Select(value => 6 * value)]), device.Sent(6));
    }

    [Fact]
    public async Task RunOnceAsync_ForgottenPastRetention_BeginsAtZero()
    {
        using var device = MakeDevice();
        await CommitAsync(device, 1);
        device.Server.Fates[1] = ReceiptStates.Unknown;

        await CommitAsync(device, 2);

        Assert.Equal(device.Sent(1), device.Sent(2));
        Assert.Single(device.Events.OfType<StateReset>());
    }

    [Fact]
    public async Task RunOnceAsync_NeverCommitted_LosesNothing()
    {
        using var device = MakeDevice();
        await KillAsync(device, name => name.EndsWith("/uploads", StringComparison.Ordinal));

        await CommitAsync(device, 2);

        Assert.Equal(Decoded(Sum(Deltas(), Deltas())), device.Sent(2));
    }

    // The device does not know whether its receipt arrived; the server does, once the round is sealed.
    [Fact]
    public async Task RunOnceAsync_CommitNeverArrived_LosesNothing()
    {
        using var device = MakeDevice();
        await KillAsync(device, name => name.EndsWith("/receipts", StringComparison.Ordinal));
        device.Server.Fates[1] = ReceiptStates.Excluded;
        device.Server.CameLate.Add(1);

        await CommitAsync(device, 2);

        Assert.Equal(Decoded(Sum(Deltas(), Deltas())), device.Sent(2));
        Assert.Empty(device.Events.OfType<StateReset>());
    }

    [Fact]
    public async Task RunOnceAsync_StoredUpdateWhoseDeltaWentIntoAnotherRound_IsNotSentAsWell()
    {
        using var device = MakeDevice();
        await KillAsync(device, name => name.EndsWith("/uploads", StringComparison.Ordinal));
        await CommitAsync(device, 2);
        device.Server.Fates[2] = ReceiptStates.Included;

        await CommitAsync(device, 1);

        var delta = Deltas();
        Assert.Equal(3, device.Fits);
        Assert.Equal(Decoded(Sum(delta, Rest(Sum(delta, delta)))), device.Sent(1));
    }

    [Theory]
    [InlineData(ReceiptStates.Committed)]
    [InlineData(ReceiptStates.Late)]
    public async Task RunOnceAsync_Undecided_TakesNoSuchWorkUntilItIs(string state)
    {
        using var device = MakeDevice();
        await CommitAsync(device, 1);
        device.Server.Fates[1] = state;
        device.Offer(device.Lease with { Round = 2 });

        var waiting = await device.StepAsync();
        var fits = device.Fits;
        device.Server.Fates[1] = ReceiptStates.Included;
        var step = await device.StepAsync();

        Assert.Equal((FedStepOutcome.GaveUp, 1), (waiting.Outcome, fits));
        Assert.Contains(state, waiting.Reason, StringComparison.Ordinal);
        Assert.True(waiting.Pause > TimeSpan.Zero);
        Assert.Equal(FedStepOutcome.Committed, step.Outcome);
    }

    [Fact]
    public async Task RunOnceAsync_Undecided_TakesOtherWork()
    {
        using var device = MakeDevice();
        await CommitAsync(device, 1);
        device.Lease = device.Lease with { Update = device.Lease.Update with { ErrorFeedback = false } };

        var step = await CommitAsync(device, 2);

        Assert.Equal(FedStepOutcome.Committed, step.Outcome);
        Assert.Equal(device.Sent(1), device.Sent(2));
    }

    [Fact]
    public async Task RunOnceAsync_ServerHasAnotherUpdateOfTheRound_BeginsAtZero()
    {
        using var device = MakeDevice();
        await CommitAsync(device, 1);
        device.Server.Fates[1] = ReceiptStates.Included;
        var header = device.Server.Receipts[0].HeaderDigest;
        device.Server.Receipts[0] = device.Server.Receipts[0] with { HeaderDigest = Digest.Of([1]) };

        await CommitAsync(device, 2);

        Assert.NotEqual(default, header);
        Assert.Equal(Decoded(Deltas()), device.Sent(2));
        Assert.Single(device.Events.OfType<StateReset>());
    }

    [Fact]
    public async Task RunOnceAsync_AnotherModel_HasItsOwn()
    {
        using var device = MakeDevice();
        await CommitAsync(device, 1);
        device.Lease = device.Lease with { Model = "letters" };

        await CommitAsync(device, 2);

        Assert.Equal(device.Sent(1), device.Sent(2));
        Assert.Equal(2, device.FilesIn("settling").Count(name => name.EndsWith(".vectors", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task RunOnceAsync_KilledAtEachStepOfThreeRounds_SendsTheSameUpdates()
    {
        float[][] expected;
        int steps;
        using (var device = MakeDevice())
        {
            steps = 0;
            device.Options = device.Options with { OnStateWrite = _ => steps++ };
            await ThreeRoundsAsync(device);
            expected = [device.Sent(1), device.Sent(2), device.Sent(3)];
        }

        // Round 1: write, rename, written, committing. Rounds 2 and 3: the same after settling the one before.
        Assert.Equal(18, steps);
        for (var at = 0; at < steps; at++)
        {
            using var device = MakeDevice();
            var step = 0;
            var killed = false;
            device.Options = device.Options with
            {
                OnStateWrite = _ =>
                {
                    if (step++ == at)
                    {
                        killed = true;
                        throw new KilledException();
                    }
                },
            };

            await ThreeRoundsAsync(device);

            Assert.Equal(expected, [device.Sent(1), device.Sent(2), device.Sent(3)]);
            Assert.Empty(device.Events.OfType<StateReset>());
            Assert.True(killed);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RunOnceAsync_KilledAtEachRequestOfThreeRounds_SendsTheSameUpdates(bool after)
    {
        float[][] expected;
        int requests;
        using (var device = MakeDevice())
        {
            await ThreeRoundsAsync(device);
            expected = [device.Sent(1), device.Sent(2), device.Sent(3)];
            requests = device.Server.Log.Count;
        }

        for (var at = 0; at < requests; at++)
        {
            using var device = MakeDevice();
            device.Server.OnKill = () => throw new KilledException();
            device.Server.FaultAt = (n, _) => n == at ? new Fault.Kill(after) : null;

            await ThreeRoundsAsync(device);

            Assert.Equal(expected, [device.Sent(1), device.Sent(2), device.Sent(3)]);
            Assert.Empty(device.Events.OfType<StateReset>());
        }
    }

    [Fact]
    public async Task RunOnceAsync_ResidualOfAnotherModelInItsPlace_IsDropped()
    {
        using var device = MakeDevice();
        await CommitAsync(device, 1);
        device.Server.Fates[1] = ReceiptStates.Included;
        var file = device.FilesIn("settling").Single(name => name.EndsWith(".vectors", StringComparison.Ordinal));
        File.Move(file, file.Replace("digits", "letters", StringComparison.Ordinal));
        device.Lease = device.Lease with { Model = "letters" };

        await CommitAsync(device, 2);

        Assert.Equal(device.Sent(1), device.Sent(2));
        Assert.Contains("digits", device.Events.OfType<StateReset>().Single().Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("")]
    [InlineData("A")]
    public async Task RunOnceAsync_ModelNameThatIsNone_IsRefused(string model)
    {
        using var device = MakeDevice();
        device.Offer(device.Lease with { Model = model });

        var step = await device.StepAsync();

        Assert.Equal(FedStepOutcome.GaveUp, step.Outcome);
        Assert.Contains("model", step.Reason, StringComparison.Ordinal);
        Assert.Equal(0, device.Fits);
    }

    private static Device MakeDevice()
    {
        var device = new Device(Parameters);
        device.Lease = device.Lease with { Update = new UpdateSpec { Codec = "int8", BlockCoordinates = Block, PartBytes = 256 << 10, ErrorFeedback = true } };
        return device;
    }

    private static async Task<FedStep> CommitAsync(Device device, int round)
    {
        device.Offer(device.Lease with { Round = round });
        return await device.UntilCommittedAsync(most: 1);
    }

    /// <summary>Commits a round for each letter and lets the server say what became of it.</summary>
    private static async Task PlayAsync(Device device, string fates)
    {
        for (var round = 1; round <= fates.Length; round++)
        {
            await CommitAsync(device, round);
            device.Server.Fates[round] = fates[round - 1] switch
            {
                'I' => ReceiptStates.Included,
                'A' => ReceiptStates.Abandoned,
                _ => ReceiptStates.Excluded,
            };
            if (fates[round - 1] == 'L')
            {
                device.Server.CameLate.Add(round);
            }
        }
    }

    /// <summary>The residual as the last update's fate leaves it, from the device's disk.</summary>
    private static float[] Kept(Device device, SettlingState.Choice choice)
    {
        var path = device.FilesIn("settling").Single(name => name.EndsWith(".vectors", StringComparison.Ordinal));
        var content = SettlingFile.Open(path, new SettlingKey("digits", SettlingKinds.Residual, device.Start.Layout.Digest));
        return SettlingFile.Read(path, content!, (int)choice);
    }

    private static async Task ThreeRoundsAsync(Device device)
    {
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
    }

    private static async Task KillAsync(Device device, Func<string, bool> at)
    {
        device.Offer(device.Lease with { Round = 1 });
        device.Server.OnKill = () => throw new KilledException();
        var killed = false;
        device.Server.FaultAt = (_, name) => !killed && at(name) && (killed = true) ? new Fault.Kill(After: false) : null;
        await Assert.ThrowsAsync<KilledException>(() => device.StepAsync());
        device.Off();
    }

    private static float[] Deltas() => [.. Enumerable.Range(0, Parameters).Select(Device.Delta)];

    private static float[] Sum(float[] left, float[] right) => [.. left.Zip(right, (a, b) => a + b)];

    private static float[] Rest(float[] values) => [.. values.Zip(Decoded(values), (value, decoded) => value - decoded)];

    /// <summary>int8 with one scale for each block of 1024.</summary>
    private static float[] Decoded(float[] values) =>
    [
        .. values.Chunk(Block).SelectMany(block =>
        {
            var scale = block.Max(Math.Abs) / 127f;
            return block.Select(value => scale == 0 ? 0 : scale * MathF.Round(value / scale, MidpointRounding.ToEven));
        }),
    ];

    /// <summary>The process is gone: nothing in the client catches this.</summary>
    private sealed class KilledException : Exception;
}
