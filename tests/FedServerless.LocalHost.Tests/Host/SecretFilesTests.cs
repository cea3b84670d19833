using FedServerless.Gateway.Authentication;
using FedServerless.LocalHost.Tests.Storage;

namespace FedServerless.LocalHost.Tests.Host;

public sealed class SecretFilesTests
{
    [Fact]
    public void Rotate_OnceAndAgain_KeepsTheTwoNewest()
    {
        using var folder = new TemporaryFolder();
        var first = SecretFiles.Load(folder.Path).Ring;
        Assert.Null(first.Previous);

        var second = SecretFiles.Rotate(folder.Path);
        var third = SecretFiles.Rotate(folder.Path);

        Assert.Equal(first.Current.Derive("a"), second.Previous!.Derive("a"));
        Assert.Equal(second.Current.Kid, third.Previous!.Kid);
        Assert.Equal(3, new[] { first, second, third }.Select(ring => ring.Current.Kid).Distinct().Count());
        Assert.Equal(third.Current.Kid, SecretFiles.Load(folder.Path).Ring.Current.Kid);
    }

    [Fact]
    public void Rotate_LeavesTheOperatorsKeyAndOwnerOnlyFiles()
    {
        using var folder = new TemporaryFolder();
        var key = SecretFiles.Load(folder.Path).OperatorKey;

        SecretFiles.Rotate(folder.Path);

        Assert.Equal(key, SecretFiles.Load(folder.Path).OperatorKey);
        if (!OperatingSystem.IsWindows())
        {
            foreach (var file in Directory.EnumerateFiles(folder.Path))
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            }
        }
    }

    [Fact]
    public void Load_RotationCutShort_HasOneSecretAndCanRotateAgain()
    {
        using var folder = new TemporaryFolder();
        var ring = SecretFiles.Load(folder.Path).Ring;
        File.Copy(Path.Combine(folder.Path, SecretFiles.MasterFile), Path.Combine(folder.Path, SecretFiles.PreviousMasterFile));

        Assert.Null(SecretFiles.Load(folder.Path).Ring.Previous);
        Assert.Equal(ring.Current.Kid, SecretFiles.Rotate(folder.Path).Previous!.Kid);
    }

    [Fact]
    public async Task RotateSecrets_WhileAHostRuns_IsRefused()
    {
        await using var host = await RunningHost.StartAsync();
        var before = await File.ReadAllTextAsync(Path.Combine(host.Folder, SecretFiles.MasterFile));

        var refused = Assert.Throws<Local.Hosting.HostStartException>(() => Local.Hosting.LocalHost.RotateSecrets(host.Folder));

        Assert.Contains($"{Environment.ProcessId}", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllTextAsync(Path.Combine(host.Folder, SecretFiles.MasterFile)));
    }

    [Fact]
    public void RotateSecrets_StoppedHost_KeepsTheSecretInUseAsThePreviousOne()
    {
        using var folder = new TemporaryFolder();
        var before = SecretFiles.Load(folder.Path).Ring.Current.Kid;

        Assert.Equal(before, Local.Hosting.LocalHost.RotateSecrets(folder.Path).Previous!.Kid);
    }

    [Fact]
    public void Rotate_DamagedSecret_ChangesNothing()
    {
        using var folder = new TemporaryFolder();
        SecretFiles.Rotate(folder.Path);
        var master = Path.Combine(folder.Path, SecretFiles.MasterFile);
        File.WriteAllText(master, "short");
        var previous = File.ReadAllText(Path.Combine(folder.Path, SecretFiles.PreviousMasterFile));

        Assert.Throws<SecretFileException>(() => SecretFiles.Rotate(folder.Path));

        Assert.Equal("short", File.ReadAllText(master));
        Assert.Equal(previous, File.ReadAllText(Path.Combine(folder.Path, SecretFiles.PreviousMasterFile)));
    }
}
