using FedServerless.Cli.Tests.Fakes;

namespace FedServerless.Cli.Tests;

public sealed class FedToolTests
{
    [Theory]
    [InlineData("frobnicate", "there is no command 'frobnicate'; expected demo, ", "See: fed --help")]
    [InlineData("run", "a command is missing; expected start, list,", "See: fed run --help")]
    [InlineData("run frobnicate", "there is no command 'frobnicate'; expected start, list,", "See: fed run --help")]
    [InlineData("run start", "run", "See: fed run start --help")]
    [InlineData("run start r --rounds x", "'x' for option '--rounds'; expected a whole number up to 2147483647.", "See: fed run start --help")]
    [InlineData("run start r --seed 9223372036854775808", "expected a whole number from -9223372036854775808 to 9223372036854775807.", "See: fed run start --help")]
    [InlineData("run start r --lr x", "'x' for option '--lr'; expected a number.", "See: fed run start --help")]
    [InlineData("run start r --architecture mlp:64", "--architecture is 'mlp:64'; expected softmax:64x10", "See: fed run start --help")]
    [InlineData("run start r --architecture mlp:64-10", "--architecture is 'mlp:64-10': architecture.hidden is '0 layers'; expected 1 to 64", "See: fed run start --help")]
    [InlineData("run start r --codec zip", "--codec is 'zip'; expected float32, float16, int8, top-k, top-k-float16, top-k-int8, random-k, random-k-float16, random-k-int8, int4, ternary or sign.", "See: fed run start --help")]
    [InlineData("run start r --deadline 5", "--deadline is '5'; expected a number and a unit", "See: fed run start --help")]
    [InlineData("demo --clients 0", "--clients is 0; expected 1 to 140.", "See: fed demo --help")]
    [InlineData("demo --clients 141", "--clients is 141; expected 1 to 140.", "See: fed demo --help")]
    [InlineData("demo --rounds 0", "--rounds is 0; expected 1 to 100000.", "See: fed demo --help")]
    [InlineData("demo --partition dirichlet:0", "--partition is 'dirichlet:0'; expected iid or dirichlet:ALPHA", "See: fed demo --help")]
    [InlineData("demo --model cnn", "--model is 'cnn'; expected softmax, mlp or conv.", "See: fed demo --help")]
    [InlineData("up --port 65536", "--port is 65536; expected 0 to 65535.", "See: fed up --help")]
    [InlineData("up --port x", "'x' for option '--port'; expected a whole number", "See: fed up --help")]
    [InlineData("up --data ", "--data is empty", "See: fed up --help")]
    [InlineData("demo --data ", "--data is empty", "See: fed demo --help")]
    [InlineData("run list --data ", "--data is empty", "See: fed run list --help")]
    [InlineData("run list --url ", "--url is empty", "See: fed run list --help")]
    [InlineData("test --jobs 0", "--jobs is 0; expected 1 to 64.", "See: fed test --help")]
    [InlineData("test --jobs x", "'x' for option '--jobs'; expected a whole number", "See: fed test --help")]
    [InlineData("enrol edge --ttl soon", "--ttl is 'soon'; expected a number and a unit", "See: fed enrol --help")]
    [InlineData("secrets rotate", "--data DIR for a local host, or --vault URL", "See: fed secrets rotate --help")]
    [InlineData("secrets rotate --data d --vault https://v", "--data DIR for a local host, or --vault URL", "See: fed secrets rotate --help")]
    [InlineData("secrets rotate --data d --if-missing", "--if-missing and --wait go with --vault", "See: fed secrets rotate --help")]
    [InlineData("secrets rotate --vault https://v --wait long", "--wait is 'long'; expected a number and a unit", "See: fed secrets rotate --help")]
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

    [Theory]
    [InlineData(null, false)]
    [InlineData("1", true)]
    public async Task RunAsync_SomethingUnforeseen_IsOneLineUnlessDebugged(string? debug, bool hasTrace)
    {
        // A server without a script throws what no command expects.
        using var shell = new TestShell(new FakeServer());
        if (debug is not null)
        {
            shell.Set(Variables.Debug, debug);
        }

        Assert.Equal(ExitCodes.Failure, await shell.RunAsync("run", "list"));

        Assert.Contains("No answer is scripted", shell.Error, StringComparison.Ordinal);
        Assert.Equal(hasTrace, shell.Error.Contains("   at ", StringComparison.Ordinal));
        Assert.Equal(!hasTrace, shell.Error.Contains("FED_DEBUG=1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task RunAsync_SourcesNeededAndNotThere_SaysSo()
    {
        using var shell = new TestShell();

        Assert.Equal(ExitCodes.Failure, await shell.RunAsync("test"));

        Assert.Contains("./fed inside a clone", shell.Error, StringComparison.Ordinal);
    }
}
