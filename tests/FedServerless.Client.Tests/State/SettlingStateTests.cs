using FedServerless.Client.State;
using FedServerless.Client.Telemetry;
using FedServerless.Wire;

namespace FedServerless.Client.Tests.State;

public sealed class SettlingStateTests : IDisposable
{
    private static readonly SettlingKey Key = new("digits", SettlingKinds.Residual, Digest.Of([1]));
    private static readonly PendingReceipt Receipt = new("run", 7, Digest.Of([2]));

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"fed-settling-{Guid.NewGuid():N}");
    private readonly List<FedClientEvent> _events = [];
    private readonly StateFolder _folder;

    public SettlingStateTests()
    {
        _folder = StateFolder.Open(_path);
    }

    private string FilePath => Path.Combine(_folder.Settling, "digits.residual.vectors");

    public void Dispose()
    {
        _folder.Dispose();
        Directory.Delete(_path, recursive: true);
    }

    [Fact]
    public void Read_NothingYet_IsZero()
    {
        Assert.Equal([0, 0, 0], Open().Read(3));
        Assert.Null(Open().Pending);
        Assert.Empty(_events);
    }

    [Theory]
    [InlineData(SettlingState.Choice.Before, 1f)]
    [InlineData(SettlingState.Choice.After, 2f)]
    [InlineData(SettlingState.Choice.Otherwise, 3f)]
    internal void Settle_ThreeVectors_LeavesTheChosenOne(SettlingState.Choice choice, float expected)
    {
        Open().Begin(Receipt, new[] { 1f, 1f }, new[] { 2f, 2f }, new[] { 3f, 3f });

        var values = Open().Settle(choice, refused: 0);

        Assert.Equal([expected, expected], values);
        Assert.Equal(values, Open().Read(2));
        Assert.Null(Open().Pending);
    }

    [Fact]
    public void Settle_TwoVectors_OtherwiseIsBefore()
    {
        Open().Begin(Receipt, new[] { 1f }, new[] { 2f });

        Assert.Equal([1f], Open().Settle(SettlingState.Choice.Otherwise, refused: 0));
        Assert.False(Open().CarriesOver);
    }

    [Fact]
    public void Begin_UntilSettled_HoldsBeforeAndTheReceipt()
    {
        Open().Begin(Receipt, new[] { 1f }, new[] { 2f }, new[] { 3f });

        Assert.Equal(Receipt, Open().Pending);
        Assert.Equal([1f], Open().Read(1));
    }

    [Fact]
    public void IsCommitting_AnotherUpdateBeganSince_IsFalse()
    {
        Open().Begin(Receipt, new[] { 1f }, new[] { 2f });
        Open().BeginCommit();
        Assert.True(Open().IsCommitting);

        Open().Begin(Receipt with { HeaderDigest = Digest.Of([3]) }, new[] { 1f }, new[] { 2f });

        Assert.False(Open().IsCommitting);
    }

    [Fact]
    public void IsCommitting_Refused_IsFalse()
    {
        Open().Begin(Receipt, new[] { 1f }, new[] { 2f });
        Open().BeginCommit();

        Open().CommitRefused();

        Assert.False(Open().IsCommitting);
    }

    [Fact]
    public void Settle_Refused_IsCountedUntilTheNextUpdateIsWritten()
    {
        Open().Begin(Receipt, new[] { 1f }, new[] { 2f }, new[] { 3f });
        Open().Settle(SettlingState.Choice.Otherwise, refused: 1);

        Open().Begin(Receipt with { Round = 8 }, new[] { 3f }, new[] { 2f }, new[] { 3f });

        Assert.Equal(1, Open().Refused);
    }

    [Fact]
    public void Load_AnyByteChanged_DropsItWithAnEvent()
    {
        Open().Begin(Receipt, new[] { 1f, 4f }, new[] { 2f, 5f });
        var bytes = File.ReadAllBytes(FilePath);
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= 1;
            File.WriteAllBytes(FilePath, bytes);
            bytes[i] ^= 1;

            Assert.True(Open().Pending is null, $"Byte {i}");
            Assert.False(File.Exists(FilePath));
        }

        Assert.Equal(bytes.Length, _events.OfType<StateReset>().Count());
    }

    [Fact]
    public void Load_CutAnywhere_DropsIt()
    {
        Open().Begin(Receipt, new[] { 1f, 4f }, new[] { 2f, 5f });
        var bytes = File.ReadAllBytes(FilePath);
        for (var length = 0; length < bytes.Length; length++)
        {
            File.WriteAllBytes(FilePath, bytes[..length]);

            Assert.Equal([0, 0], Open().Read(2));
        }

        Assert.Equal(bytes.Length, _events.OfType<StateReset>().Count());
    }

    [Fact]
    public void Load_AnotherLayout_DropsIt()
    {
        Open().Begin(Receipt, new[] { 1f }, new[] { 2f });

        Assert.Equal([0, 0], Open(Key with { Layout = Digest.Of([9]) }).Read(2));
        Assert.Contains("layout", Assert.Single(_events.OfType<StateReset>()).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Begin_OneMoreThanAreKept_DropsTheOneUnusedLongest()
    {
        for (var model = 0; model < SettlingState.MaxVectors; model++)
        {
            Open(Key with { Model = $"m{model}" }).Begin(Receipt, new[] { 1f }, new[] { 2f });
            File.SetLastWriteTimeUtc(Path.Combine(_folder.Settling, $"m{model}.residual.vectors"), new DateTime(2026, 1, 1 + model, 0, 0, 0, DateTimeKind.Utc));
        }

        Assert.Empty(_events);
        Open().Begin(Receipt, new[] { 1f }, new[] { 2f });

        Assert.Equal("m0", Assert.Single(_events.OfType<StateReset>()).Model);
        Assert.Equal(SettlingState.MaxVectors, Directory.GetFiles(_folder.Settling).Length);
    }

    // Three files: the one in use, one a day older, one two days older.
    [Theory]
    [InlineData(0, 3)]
    [InlineData(1, 2)]
    [InlineData(int.MaxValue, 1)]
    public void Begin_BytesAroundTheLimit_DropsTheOldestUntilTheyFit(int tooMany, int kept)
    {
        string[] models = ["old", "older"];
        foreach (var (age, model) in models.Index())
        {
            Open(Key with { Model = model }).Begin(Receipt, new float[1000], new float[1000]);
            File.SetLastWriteTimeUtc(Path.Combine(_folder.Settling, $"{model}.residual.vectors"), new DateTime(2026, 1, 9 - age, 0, 0, 0, DateTimeKind.Utc));
        }

        Open().Begin(Receipt, new float[1000], new float[1000]);
        var all = Directory.GetFiles(_folder.Settling).Sum(file => new FileInfo(file).Length);

        Open(maxBytes: Math.Max(1, all - tooMany)).Begin(Receipt, new float[1000], new float[1000]);

        Assert.Equal(kept, Directory.GetFiles(_folder.Settling).Length);
        Assert.Equal(models[..(3 - kept)].Length == 0 ? [] : models[(kept - 1)..], _events.OfType<StateReset>().Select(reset => reset.Model));
        Assert.Equal(Receipt, Open().Pending);
    }

    // A small old file behind a large one that has to go: it is older, so it goes as well.
    [Fact]
    public void Begin_OldestIsSmallest_IsDroppedAllTheSame()
    {
        Open(Key with { Model = "small" }).Begin(Receipt, new float[1], new float[1]);
        File.SetLastWriteTimeUtc(Path.Combine(_folder.Settling, "small.residual.vectors"), new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Open(Key with { Model = "large" }).Begin(Receipt, new float[5000], new float[5000]);
        File.SetLastWriteTimeUtc(Path.Combine(_folder.Settling, "large.residual.vectors"), new DateTime(2026, 1, 2, 0, 0, 0, DateTimeKind.Utc));

        Open(maxBytes: 10_000).Begin(Receipt, new float[1], new float[1]);

        Assert.Equal(["large", "small"], _events.OfType<StateReset>().Select(reset => reset.Model));
    }

    [Fact]
    public void Begin_HalfWrittenFileOfADeadProcess_IsRemoved()
    {
        var half = Path.Combine(_folder.Settling, "letters.residual.vectors.tmp");
        File.WriteAllText(half, "half");

        Open().Begin(Receipt, new[] { 1f }, new[] { 2f });

        Assert.False(File.Exists(half));
    }

    [Fact]
    public void Begin_LongVectors_ComeBackBitForBit()
    {
        float[] before = [.. Enumerable.Range(0, 200_001).Select(i => i / 7f)];
        float[] after = [.. before.Select(value => -value)];

        Open().Begin(Receipt, before, after);

        Assert.Equal(before, Open().Read(before.Length));
        Assert.Equal(after, Open().Settle(SettlingState.Choice.After, refused: 0));
    }

    private SettlingState Open(SettlingKey? key = null, long maxBytes = FedClientOptions.DefaultMaxVectorBytes) =>
        new(_folder, key ?? Key, new ClientEvents(_events.Add), maxBytes, onWrite: null);
}
