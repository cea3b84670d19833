using System.Diagnostics;
using FedServerless.Storage.Files;

namespace FedServerless.LocalHost.Tests.Storage;

public sealed class DataFolderLockTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Acquire_Held_RefusesNamingTheFolderAndTheProcess()
    {
        using var held = DataFolderLock.Acquire(_folder.Path);

        var refused = Assert.Throws<DataFolderInUseException>(() => DataFolderLock.Acquire(_folder.Path));

        Assert.Equal(_folder.Path, refused.Folder);
        Assert.Contains($"process {Environment.ProcessId} ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(_folder.Path, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Acquire_Released_Succeeds()
    {
        DataFolderLock.Acquire(_folder.Path).Dispose();

        DataFolderLock.Acquire(_folder.Path).Dispose();
    }

    [Fact]
    public void Acquire_OwnerFileOfADeadProcess_Succeeds()
    {
        File.WriteAllText(Path.Combine(_folder.Path, "host.pid"), "2147483647\n");
        File.WriteAllText(Path.Combine(_folder.Path, "host.lock"), "");

        DataFolderLock.Acquire(_folder.Path).Dispose();
    }

    [Fact]
    public async Task Acquire_HolderWasKilled_Succeeds()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/flock"), "Needs flock(1), to hold the lock from another process.");
        var path = Path.Combine(_folder.Path, "host.lock");
        using var holder = Process.Start(new ProcessStartInfo("/usr/bin/flock", ["--no-fork", path, "cat"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        await holder.StandardInput.WriteLineAsync("held");
        Assert.Equal("held", await holder.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        Assert.Throws<DataFolderInUseException>(() => DataFolderLock.Acquire(_folder.Path));

        holder.Kill();
        await holder.WaitForExitAsync(TestContext.Current.CancellationToken);

        DataFolderLock.Acquire(_folder.Path).Dispose();
    }

    public void Dispose() => _folder.Dispose();
}
