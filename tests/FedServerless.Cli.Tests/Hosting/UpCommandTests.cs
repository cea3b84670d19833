using FedServerless.Cli.Tests.Fakes;

namespace FedServerless.Cli.Tests.Hosting;

/// <summary><c>fed up</c> and the operator's commands against the real host.</summary>
public sealed class UpCommandTests
{
    [Fact]
    public async Task Up_UntilCancelled_ServesTheCommandsAndStopsCleanly()
    {
        using var shell = RealHost.CreateShell();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var up = FedTool.RunAsync(["up", "--data", "host", "--port", "0"], shell.Shell, stop.Token);
        var ended = await Task.WhenAny(up, UntilAsync(() => shell.Output.Contains("operator key", StringComparison.Ordinal)));
        Assert.True(ended != up, shell.Error);

        using var enrol = RealHost.CreateShell();
        var data = Path.Combine(shell.Folder, "host");
        Assert.Equal(ExitCodes.Success, await enrol.RunAsync("enrol", "edge-1", "--data", data));
        Assert.StartsWith("fed1.", enrol.Output, StringComparison.Ordinal);
        Assert.Equal(
            ExitCodes.Success,
            await enrol.RunAsync("run", "start", "r", "--model", "m", "--architecture", "softmax:2x2", "--rounds", "1", "--data", data));
        Assert.Equal(ExitCodes.Failure, await enrol.RunAsync("run", "status", "other", "--data", data));
        Assert.Contains("Not found", enrol.Error, StringComparison.Ordinal);

        await stop.CancelAsync();
        Assert.Equal(ExitCodes.Success, await up);
        Assert.False(File.Exists(Path.Combine(data, "host.url")));
    }

    [Fact]
    public async Task Up_FolderCannotBeMade_SaysHowToChooseAnother()
    {
        using var shell = RealHost.CreateShell();
        await File.WriteAllTextAsync(Path.Combine(shell.Folder, "file"), "in the way", TestContext.Current.CancellationToken);

        Assert.Equal(ExitCodes.Failure, await shell.RunAsync("up", "--data", "file", "--port", "0"));

        Assert.Contains("Choose another with --data", shell.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Up_HostCannotStart_ShowsWhatItSaid()
    {
        using var shell = RealHost.CreateShell();
        shell.WriteDataFolder("host", url: null, key: "too short to be a key");

        Assert.Equal(ExitCodes.Failure, await shell.RunAsync("up", "--data", "host", "--port", "0"));

        Assert.Contains("The local host ended with code 1", shell.Error, StringComparison.Ordinal);
        Assert.Contains("operator.key", shell.Output, StringComparison.Ordinal);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}
