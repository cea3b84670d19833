using FedServerless.Numerics;
using FedServerless.Privacy;

namespace FedServerless.Core.Tests.Privacy;

public class CanaryDirectionsTests
{
    private static readonly CanaryDirections Directions = new(canaries: 5, dimension: 47, blockSize: 10);

    // Four whole blocks and one of seven.
    [Theory]
    [InlineData(40, 4)]
    [InlineData(44, 4)]
    [InlineData(45, 5)]
    [InlineData(5, 1)]
    public void Blocks_LastBlockTooShortForAll_IsNotUsed(int dimension, int blocks) =>
        Assert.Equal(blocks, new CanaryDirections(5, dimension, 10).Blocks);

    [Fact]
    public void Update_TwoCanaries_AreOrthogonalAndTooLong()
    {
        var (one, other) = (Directions.Update(1, 7, 2), Directions.Update(4, 7, 2));

        Assert.Equal(0, Reductions.Dot(one, other));
        Assert.Equal(2 * Math.Sqrt(5), Reductions.Norm(one), 1e-12);
    }

    // So that noise which neighbours share cancels.
    [Fact]
    public void Update_NextBlockAndNextRound_HaveTheOtherSign()
    {
        var (one, next) = (Directions.Update(3, 0, 1), Directions.Update(3, 1, 1));

        Assert.Equal([1, -1, 1, -1, 1], Enumerable.Range(0, 5).Select(block => one[(10 * block) + 3]));
        Assert.Equal(one.Select(value => -value), next);
    }

    // Clipped to C, whatever it was before: the score is the norm, and nobody else's is touched.
    [Fact]
    public void Score_OneCanaryReleased_IsItsNorm()
    {
        var clipped = Array.ConvertAll(Directions.Update(2, 4, 9), value => value / (9 * Math.Sqrt(5)) * 3);

        Assert.Equal(3, Directions.Score(2, 4, clipped), 1e-6);
        Assert.Equal(-3, Directions.Score(2, 5, clipped), 1e-6);
        Assert.Equal(0, Directions.Score(1, 4, clipped));
    }

    [Fact]
    public void Score_NoiseThatBlocksShare_Cancels()
    {
        var directions = new CanaryDirections(5, 40, 10);
        var noise = Enumerable.Range(0, 40).Select(i => Math.Sin(i % 10)).ToArray();

        Assert.Equal(0, directions.Score(3, 1, noise), 1e-12);
    }

    [Fact]
    public void Guess_HalfIn_AreTheHighestAndHalfOutTheLowest() =>
        Assert.Equal([null, true, false, null, false, true], CanaryDirections.Guess([0.5, 3, -2, 0.1, -9, 4], 4));

    [Fact]
    public void Guess_EqualScores_TakesTheFirstForHigher() =>
        Assert.Equal([true, null, false], CanaryDirections.Guess([1, 1, 1], 2));

    [Fact]
    public void Guess_OddOrTooManyOrNaN_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => CanaryDirections.Guess([1, 2, 3], 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => CanaryDirections.Guess([1, 2, 3], 4));
        Assert.Throws<ArgumentException>(() => CanaryDirections.Guess([1, double.NaN], 2));
    }

    [Theory]
    [InlineData(0, 10, 10)]
    [InlineData(11, 20, 10)]
    [InlineData(5, 4, 10)]
    public void Create_CanariesThatDoNotFit_AreRefused(int canaries, int dimension, int blockSize) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new CanaryDirections(canaries, dimension, blockSize));
}
