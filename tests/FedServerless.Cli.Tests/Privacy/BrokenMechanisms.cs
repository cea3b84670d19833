using FedServerless.Cli.Privacy.Auditing;
using FedServerless.Core.Tests.Privacy;
using FedServerless.Numerics;
using FedServerless.Privacy;

namespace FedServerless.Cli.Tests.Privacy;

/// <summary>Clips, sums and noises each shard as if it were the whole: a client that fills every shard counts √shards times (PITFALLS 9).</summary>
internal sealed class PerShardClipping(UpdateGrid grid, double denominator, double noise, int shards, long seed) : IAuditedMechanism
{
    private readonly SeededEntropy _entropy = new(seed);

    public void Release(IEnumerable<float[]> updates, double[] mean)
    {
        var length = mean.Length / shards;
        PrivateMean[] rounds = [.. Enumerable.Range(0, shards).Select(_ => new PrivateMean(length, grid, denominator, noise, _entropy))];
        foreach (var update in updates)
        {
            foreach (var (shard, round) in rounds.Index())
            {
                round.TryAdd(update.AsMemory(shard * length, length));
            }
        }

        var part = new double[length];
        foreach (var (shard, round) in rounds.Index())
        {
            round.Complete(part);
            part.CopyTo(mean.AsSpan(shard * length));
        }
    }
}

/// <summary>Clips and sums rightly, but draws the noise of blocks or rounds from generators with one seed (PITFALLS 9).</summary>
internal sealed class ReusedNoise(UpdateGrid grid, double denominator, double noise, int blocks, long seed, bool acrossBlocks) : IAuditedMechanism
{
    private int _round;

    public void Release(IEnumerable<float[]> updates, double[] mean)
    {
        var sums = new long[mean.Length];
        foreach (var update in updates)
        {
            var scale = grid.Fit(Reductions.Norm(update), factor => UpdateGrid.SumOfSquares(update, factor));
            UpdateGrid.Accumulate(update, scale, sums);
        }

        _round++;
        var length = sums.Length / blocks;
        for (var block = 0; block < blocks; block++)
        {
            var stream = acrossBlocks ? _round : block;
            NoiseBlock.Add(sums.AsSpan(block * length, length), noise, grid, new SeededEntropy(DeterministicRandom.DeriveSeed(seed, "reused", stream)));
        }

        grid.Complete(sums, denominator, mean);
    }
}
