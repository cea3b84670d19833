using FedServerless.Storage.Files;

namespace FedServerless.LocalHost.Tests.Storage;

public sealed class FileCallsTests : IDisposable
{
    private const int Writers = 8;
    private const int Rounds = 200;

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void TryPublish_ByManyAtTheSameMoment_HasOneWinnerWhoseFileStays()
    {
        // Without any lock of ours: "look, then rename" fails here within the first rounds.
        using var barrier = new Barrier(Writers);
        var wins = new int[Rounds];
        var winner = new int[Rounds];
        var threads = Enumerable.Range(0, Writers).Select(writer => new Thread(() =>
        {
            for (var round = 0; round < Rounds; round++)
            {
                var finished = Path.Combine(_folder.Path, $"finished-{writer}");
                File.WriteAllText(finished, $"{writer}");
                barrier.SignalAndWait();
                try
                {
                    if (FileCalls.TryPublish(finished, Path.Combine(_folder.Path, $"target-{round}")) == FileCalls.Publication.Done)
                    {
                        Interlocked.Increment(ref wins[round]);
                        winner[round] = writer;
                    }
                }
                catch (IOException)
                {
                    Interlocked.Add(ref wins[round], Writers); // the others wait at the barrier: fail below, not here
                }

                File.Delete(finished);
            }
        })).ToArray();

        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());

        for (var round = 0; round < Rounds; round++)
        {
            Assert.Equal(1, wins[round]);
            Assert.Equal($"{winner[round]}", File.ReadAllText(Path.Combine(_folder.Path, $"target-{round}")));
        }
    }

    [Fact]
    public void TryPublish_NoSuchFolder_SaysSo()
    {
        var finished = Path.Combine(_folder.Path, "finished");
        File.WriteAllText(finished, "");

        Assert.Equal(FileCalls.Publication.FolderMissing, FileCalls.TryPublish(finished, Path.Combine(_folder.Path, "gone", "target")));
    }

    [Fact]
    public void FlushFolder_NoSuchFolder_Throws()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows flushes no folders.");

        Assert.Throws<IOException>(() => FileCalls.FlushFolder(Path.Combine(_folder.Path, "gone")));
    }

    public void Dispose() => _folder.Dispose();
}
