using System.Diagnostics;
using System.Runtime.InteropServices;

namespace FedServerless.Client.Tests;

/// <summary>
/// Publishes a trimmed program with warnings as errors and runs one whole round in it. About 20 s, most of it the linker; a feed
/// without this platform's runtime pack skips it.
/// </summary>
[Trait("Category", "Trim")]
public sealed class TrimmedClientTests
{
    [Fact]
    public async Task Publish_WholeSdkTrimmed_RunsARoundWithoutWarnings()
    {
        var root = Root();

        // A folder of artifacts of its own: another build may be using the usual one.
        var artifacts = Path.Combine(root, "artifacts", "trim");
        var rid = RuntimeInformation.RuntimeIdentifier;
        var (published, output) = await RunAsync(
            "dotnet", "publish", Path.Combine(root, "tests", "FedServerless.Client.TrimTest"), "-c", "Release", "-r", rid, "--self-contained",
            "--artifacts-path", artifacts, "-nodeReuse:false");
        Assert.SkipWhen(output.Contains("NU1101", StringComparison.Ordinal) || output.Contains("NU1102", StringComparison.Ordinal), $"The feed has no runtime pack for {rid}.");
        Assert.True(published == 0, output);

        var program = Path.Combine(artifacts, "publish", "FedServerless.Client.TrimTest", $"release_{rid}", "FedServerless.Client.TrimTest");
        var (exit, said) = await RunAsync(OperatingSystem.IsWindows() ? program + ".exe" : program);

        Assert.True(exit == 0, said);
        Assert.EndsWith("ok", said.TrimEnd(), StringComparison.Ordinal);
    }

    private static async Task<(int Exit, string Output)> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await error);
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "FedServerless.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("No FedServerless.sln above the tests.");
        }

        return folder.FullName;
    }
}
