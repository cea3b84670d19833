using System.Text;
using FedServerless.Activities.State;
using FedServerless.Gateway.Rounds;
using FedServerless.Wire;
using FedServerless.Wire.Downloads;

namespace FedServerless.LocalHost.Tests.Gateway;

/// <summary>Which way a device is given: the fewest bytes by what it holds and reads, and never a delta that is not fewer.</summary>
public sealed class DownloadChoiceTests
{
    private const string Exact = "exact";

    private static readonly string[] Everything = [.. DownloadEncodings.Names];

    [Theory]
    [InlineData(DownloadEncodings.Float32, 400, Exact)]
    [InlineData(DownloadEncodings.Float16, 200, "r3")]
    [InlineData(DownloadEncodings.Int8, 100, "coarse")]
    public void Choose_HoldsNothing_IsTheShortestWholeThatItReads(string reads, long bytes, string result)
    {
        var way = DownloadChoice.Choose(Document(), [], [reads])!;

        Assert.Equal((bytes, Id(result)), (way.Bytes, way.Result));
        Assert.Equal(reads == DownloadEncodings.Float32, way.Whole is not null);
        Assert.Equal(reads == DownloadEncodings.Float32 ? 0 : 1, way.Steps.Count);
    }

    // An SDK from before there were encodings names none, and reads float32.
    [Fact]
    public void Choose_ReadsNothingElse_IsTheModelItself() => Assert.Equal(Id(Exact), DownloadChoice.Choose(Document(), [], [])!.Whole!.Digest);

    [Fact]
    public void Choose_ReadsNothingOfWhatThereIs_IsNone()
    {
        var document = new DownloadsDocument([Whole(DownloadEncodings.Int8, "coarse", 100)], []);

        Assert.Null(DownloadChoice.Choose(document, [], []));
        Assert.Null(DownloadChoice.Choose(document, [], [DownloadEncodings.Float16, DownloadEncodings.Delta, "brotli"]));
    }

    // What cannot be downloaded may still be held.
    [Fact]
    public void Choose_ReadsNothingOfWhatThereIsAndHoldsIt_IsWhatItHolds()
    {
        var document = new DownloadsDocument([Whole(DownloadEncodings.Int8, "coarse", 100)], []);

        Assert.Equal(0, DownloadChoice.Choose(document, [Id("coarse")], [])!.Bytes);
    }

    [Theory]
    [InlineData("r3")]
    [InlineData("coarse")]
    [InlineData(Exact)]
    public void Choose_HoldsAListedModel_CostsNothing(string held)
    {
        var way = DownloadChoice.Choose(Document(), [Id("another"), Id(held)], Everything)!;

        Assert.Equal((0L, Id(held)), (way.Bytes, way.Result));
        Assert.Null(way.Whole);
        Assert.Empty(way.Steps);
    }

    [Fact]
    public void Choose_HoldsSeveralListedModels_IsTheOneListedFirst() =>
        Assert.Equal(Id("r3"), DownloadChoice.Choose(Document(), [Id(Exact), Id("coarse"), Id("r3")], Everything)!.Result);

    [Theory]
    [InlineData("r2", 1)]
    [InlineData("r1", 2)]
    [InlineData("r0", 3)]
    public void Choose_HoldsAnEarlierVersion_IsTheDeltasFromThere(string held, int deltas)
    {
        var way = DownloadChoice.Choose(Document(deltaBytes: 30), [Id(held)], Everything)!;

        Assert.Equal((30 * deltas, Id("r3")), (way.Bytes, way.Result));
        Assert.Equal(Enumerable.Range(3 - deltas, deltas).Select(version => ((Digest?)Id($"r{version}"), Id($"r{version + 1}"))), way.Steps.Select(step => (step.Start, step.Result)));
    }

    [Fact]
    public void Choose_HoldsTwoEarlierVersions_IsTheShorterWay() =>
        Assert.Single(DownloadChoice.Choose(Document(deltaBytes: 30), [Id("r0"), Id("r2")], Everything)!.Steps);

    // The whole in binary16 has 200 bytes; int8 is not read.
    [Theory]
    [InlineData(99, 2)]
    [InlineData(100, 1)]
    [InlineData(101, 1)]
    public void Choose_TwoDeltasAroundTheWhole_AreTakenOnlyWhenFewerBytes(long deltaBytes, int steps)
    {
        var way = DownloadChoice.Choose(Document(deltaBytes), [Id("r1")], [DownloadEncodings.Float16, DownloadEncodings.Delta])!;

        Assert.Equal(steps, way.Steps.Count);
        Assert.Equal(Math.Min(2 * deltaBytes, 200), way.Bytes);
        Assert.Equal(steps == 1, way.Steps[0].Start is null);
    }

    [Fact]
    public void Choose_WholeFilesOfOneLength_IsTheOneListedFirst()
    {
        var document = new DownloadsDocument([Whole(DownloadEncodings.Int8, "coarse", 100), Whole(DownloadEncodings.Float16, "r3", 100)], []);

        Assert.Equal(Id("coarse"), DownloadChoice.Choose(document, [], Everything)!.Result);
    }

    [Theory]
    [InlineData("older")]
    [InlineData("another model")]
    public void Choose_HoldsWhatNoDeltaBuildsOn_IsAWholeModel(string held) =>
        Assert.Null(Assert.Single(DownloadChoice.Choose(Document(deltaBytes: 1), [Id(held)], Everything)!.Steps).Start);

    [Fact]
    public void Choose_DoesNotReadDeltas_IsAWholeModel() =>
        Assert.Equal(200, DownloadChoice.Choose(Document(deltaBytes: 1), [Id("r2")], [DownloadEncodings.Float16])!.Bytes);

    // A list whose chain ends nowhere that is listed: nobody could check what comes out.
    [Fact]
    public void Choose_DeltasLeadToNothingListed_AreNotTaken()
    {
        var document = Document(deltaBytes: 1) with { Chain = null };

        Assert.Equal(100, DownloadChoice.Choose(document, [Id("r2")], Everything)!.Bytes);
    }

    [Fact]
    public void Choose_HoldingsInAnyOrderAndTwice_AreTheSameWay()
    {
        Digest[] holds = [Id("r0"), Id("r2"), Id("another"), Id("r1")];
        var one = DownloadChoice.Choose(Document(deltaBytes: 30), holds, Everything)!;

        var other = DownloadChoice.Choose(Document(deltaBytes: 30), [.. holds.Reverse(), .. holds], [.. Everything.Reverse()])!;

        Assert.Equal((one.Result, one.Bytes), (other.Result, other.Bytes));
        Assert.Equal(one.Steps, other.Steps);
    }

    /// <summary>A version as r3 in binary16, in bytes and as it is, and the deltas from r0, r1 and r2 on.</summary>
    private static DownloadsDocument Document(long deltaBytes = 30) => new(
        [Whole(DownloadEncodings.Float16, "r3", 200), Whole(DownloadEncodings.Int8, "coarse", 100), Whole(DownloadEncodings.Float32, Exact, 400)],
        [.. Enumerable.Range(0, 3).Select(version => new DeltaDownload(new StoredArtifact($"d{version}", deltaBytes, Id($"d{version}")), Id($"r{version}"), Id($"r{version + 1}")))],
        Id("r3"));

    private static WholeDownload Whole(string encoding, string result, long bytes) => new(
        encoding, new StoredArtifact(encoding, bytes, encoding == DownloadEncodings.Float32 ? Id(result) : Id(encoding)), Id(result), 400);

    private static Digest Id(string name) => Digest.Of(Encoding.ASCII.GetBytes(name));
}
