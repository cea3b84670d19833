using FedServerless.Cli.Tests.Fakes;

namespace FedServerless.Cli.Tests;

public sealed class FedToolTests
{
    [Theory]
    [InlineData("frobnicate", "'frobnicate'", "See: fed --help")]
    [InlineData("run start", "run", "See: fed run start --help")]
    [InlineData("run start r --rounds x", "'x' for option '--rounds'; expected a whole number.", "See: fed run start --help")]
    [InlineData("run start r --lr x", "'x' for option '--lr'; expected a number.", "See: fed run start --help")]
    [InlineData("run start r --architecture mlp:64", "--architecture is 'mlp:64'; expected softmax:64x10", "See: fed run start --help")]
    [InlineData("run start r --codec zip", "'zip'", "See: fed run start --help")]
    [InlineData("run start r --deadline 5", "--deadline is '5'; expected a number and a unit", "See: fed run start --help")]
    [InlineData("demo --clients 0", "--clients is 0; expected 1 to 140.", "See: fed demo --help")]
    [InlineData("demo --clients 141", "--clients is 141; expected 1 to 140.", "See: fed demo --help")]
    [InlineData("demo --rounds 0", "--rounds is 0; expected 1 to 100000.", "See: fed demo --help")]
    [InlineData("demo --partition dirichlet:0", "--partition is 'dirichlet:0'; expected iid or dirichlet:ALPHA", "See: fed demo --help")]
    [InlineData("demo --model cnn", "'cnn'", "See: fed demo --help")]
    [InlineData("up --port 65536", "--port must be 0 to 65535.", "See: fed up --help")]
    [InlineData("test --jobs 0", "--jobs must be 1 to 64.", "See: fed test --help")]
    [InlineData("enrol edge --ttl soon", "--ttl is 'soon'; expected a number and a unit", "See: fed enrol --help")]
    public async Task RunAsync_CommandLineIsWrong_SaysWhatIsRightAndEndsWithTwo(string line, string problem, string hint)
    {
        using var shell = new TestShell();

        var exitCode = await shell.RunAsync(line.Split(' '));

        Assert.Equal(ExitCodes.Usage, exitCode);
        Assert.Contains(problem, shell.Error, StringComparison.Ordinal);
        Assert.Contains(hint, shell.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help", "demo")]
    [InlineData("run start --help", "--architecture")]
    [InlineData("demo --help", "--partition")]
    public async Task RunAsync_Help_ShowsTheCommandAndSucceeds(string line, string shown)
    {
        using var shell = new TestShell();

        var exitCode = await shell.RunAsync(line.Split(' '));

        Assert.Equal(ExitCodes.Success, exitCode);
        Assert.Contains(shown, shell.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_Version_ShowsOneLine()
    {
        using var shell = new TestShell();

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("version"));

        Assert.StartsWith("fed 0.", shell.Output, StringComparison.Ordinal);
        Assert.Single(shell.Output.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task RunAsync_NoServerKnown_SaysHowToStartOne()
    {
        using var shell = new TestShell();

        Assert.Equal(ExitCodes.Failure, await shell.RunAsync("run", "list"));

        Assert.Contains("fed up", shell.Error, StringComparison.Ordinal);
        Assert.Contains("FED_URL", shell.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_SourcesNeededAndNotThere_SaysSo()
    {
        using var shell = new TestShell();

        Assert.Equal(ExitCodes.Failure, await shell.RunAsync("test"));

        Assert.Contains("./fed inside a clone", shell.Error, StringComparison.Ordinal);
    }
}
