using FedServerless.Cli.Tests.Fakes;

namespace FedServerless.Cli.Tests.Hosting;

public sealed class SecretRotationTests
{
    [Fact]
    public async Task Rotate_FolderThatIsNotThere_SaysSo()
    {
        using var shell = new TestShell();

        Assert.Equal(ExitCodes.Failure, await shell.RunAsync("secrets", "rotate", "--data", "nowhere"));
        Assert.Contains("There is no folder", shell.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rotate_VaultWithoutHttps_IsRefused()
    {
        using var shell = new TestShell();

        Assert.Equal(ExitCodes.Usage, await shell.RunAsync("secrets", "rotate", "--vault", "http://vault"));
        Assert.Contains("expected an address such as https://", shell.Error, StringComparison.Ordinal);
    }
}
