using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Rounds;
using static FedServerless.Orchestrations.Tests.Privacy.PrivateRig;

namespace FedServerless.Orchestrations.Tests.Privacy;

/// <summary>What a private round leaves in the store, whoever comes late: nothing un-noised, nothing twice, nothing about who took part.</summary>
public sealed class PrivateRoundTraceTests
{
    [Fact] // PITFALLS 18: what is un-noised goes when the round closes.
    public async Task RunAsync_Closed_LeavesNothingUnNoised()
    {
        await using var rig = await OpenAsync(3, Spec(1, adaptive: true), clients => clients.Deltas = EachAlong(7));

        await rig.RunAsync();

        Assert.DoesNotContain(rig.Disk.Names, name => name.StartsWith("updates/", StringComparison.Ordinal));
        Assert.DoesNotContain(rig.Disk.Names, name => name.Contains("/slices/", StringComparison.Ordinal));
        Assert.Empty(rig.Disk.Peek(StoreNames.NoisySum(SimulatedFederation.RunId, 1, 0))!);
        Assert.All(rig.Accepted.Accepted, update => Assert.Equal((0.0, null, default), (update.Norm, update.Private, update.Header)));
        foreach (var client in rig.Clients.Ids)
        {
            var receipt = rig.Read(StoreNames.Receipt(SimulatedFederation.RunId, 1, client), StoreJson.Default.ReceiptDocument);
            Assert.Equal(("", "", default, 1L, null), (receipt.Body, receipt.Proof, receipt.Receipt.HeaderDigest, receipt.Receipt.Samples, receipt.Receipt.WithinClip));
            Assert.Empty(receipt.Receipt.Metrics);
            Assert.Equal(0, receipt.Receipt.Bytes);
        }

        var verdicts = rig.Disk.Names.Where(name => name.Contains("/verdicts/", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(verdicts);
        Assert.All(verdicts, name => Assert.Empty(rig.Read(name, StoreJson.Default.VerdictsDocument).Verdicts));
        Assert.Empty(rig.Outcome.Metrics);
    }

    [Fact]
    public async Task RunAsync_Manifest_TellsNeitherCohortNorCountsAndItsCommitmentOpens()
    {
        await using var rig = await OpenAsync(3, Spec(1));

        await rig.RunAsync();

        var manifest = rig.Read(StoreNames.Manifest("digits", "run-r1"), StoreJson.Default.ModelManifest);
        Assert.Equal((null, null, null, 0), (manifest.Plan, manifest.Seal, manifest.AcceptedDigest, manifest.Accepted));
        Assert.Empty(manifest.Metrics);
        var salt = Convert.FromBase64String(rig.Read(StoreNames.Commitment(SimulatedFederation.RunId, 1), StoreJson.Default.CommitmentDocument).Salt);
        var plan = Digest.Of(rig.Disk.Peek(StoreNames.Plan(SimulatedFederation.RunId, 1)));
        var seal = Digest.Of(rig.Disk.Peek(StoreNames.Seal(SimulatedFederation.RunId, 1)));
        Assert.Equal(Digest.Of([.. salt, .. plan.AsSpan(), .. seal.AsSpan()]), manifest.Privacy!.Commitment);
        Assert.Equal(32, salt.Length);
    }

    [Fact]
    public async Task ReduceShard_NotCharged_NoisesNothing()
    {
        await using var rig = await OpenAsync(2, Spec(1));
        await rig.ToAcceptedAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => rig.Federation.Activities.ReduceShard.RunAsync(new ReduceInput(Round.Run, Round.Round, 0), CancellationToken.None));

        Assert.DoesNotContain(rig.Disk.Names, name => name.Contains("/noisy/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ReduceShard_LateCopyAfterTheClose_PublishesNoSecondDraw()
    {
        await using var rig = await OpenAsync(2, Spec(1));
        await rig.RunAsync();

        // As if it had looked before the round was over: the outcome is hidden from it.
        await rig.Disk.DeleteAsync(StoreNames.RoundOutcome(SimulatedFederation.RunId, 1), CancellationToken.None);
        var late = await rig.Federation.Activities.ReduceShard.RunAsync(new ReduceInput(Round.Run, Round.Round, 0), CancellationToken.None);

        Assert.True(late.Finite);
        Assert.Single(rig.Draws());
        Assert.DoesNotContain(rig.Disk.Names, name => name.Contains("/slices/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task FoldChunks_LateCopyThatSeesTheRoundEndWhileItFolds_LeavesNoUnNoisedSum()
    {
        // The outcome appears when the partial sum is written, as if the close had come in between.
        FaultInjectingStore? store = null;
        var spec = Spec(1);
        await using var rig = await OpenAsync(2, spec with { Aggregation = spec.Aggregation with { Levels = 2 } }, wrap: inner => store = new FaultInjectingStore(inner)
        {
            Gate = (write, token) => write.Name.Contains(".chunk", StringComparison.Ordinal)
                ? inner.PutBytesAsync(StoreNames.RoundOutcome(SimulatedFederation.RunId, 1), "{}"u8.ToArray(), PutCondition.Overwrite, token)
                : Task.CompletedTask,
        });
        await rig.ToAcceptedAsync();

        await rig.Federation.Activities.FoldChunks.RunAsync(new FoldInput(Round.Run, Round.Round, 0), CancellationToken.None);

        // Where the sweep of orphans finds them, should this copy die between writing and looking.
        var chunks = store!.Writes.Where(write => write.Name.Contains(".chunk", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(chunks);
        Assert.All(chunks, write => Assert.StartsWith("updates/", write.Name, StringComparison.Ordinal));
        Assert.DoesNotContain(rig.Disk.Names, name => name.Contains(".chunk", StringComparison.Ordinal) || name.Contains("/slices/", StringComparison.Ordinal));
    }
}
