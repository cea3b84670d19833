using System.Diagnostics;
using System.Text.Json;
using FedServerless.Testing;

namespace FedServerless.Infra.Tests;

/// <summary>The deployed package carries the backend's host.json: asked of MSBuild, which needs no package for the answer.</summary>
public sealed class PackageTests
{
    [Theory]
    [InlineData("scheduler", "functions/App/host.scheduler.json")]
    [InlineData("storage", "host.json")]
    public void HostJson_OfTheBackend_IsCopiedUnderItsName(string backend, string file)
    {
        using var answer = JsonDocument.Parse(Evaluate($"-p:FedDurableBackend={backend}", "-getItem:None"));

        var item = Assert.Single(
            answer.RootElement.GetProperty("Items").GetProperty("None").EnumerateArray(),
            item => item.TryGetProperty("TargetPath", out var target) && target.GetString() == "host.json");
        Assert.Equal(RepositoryRoot.Combine(file.Split('/')), Path.GetFullPath(item.GetProperty("FullPath").GetString()!));
        Assert.Equal(("Always", "Always"), (item.GetProperty("CopyToOutputDirectory").GetString(), item.GetProperty("CopyToPublishDirectory").GetString()));
    }

    private static string Evaluate(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", ["msbuild", RepositoryRoot.Combine("functions", "App", "FedServerless.Functions.csproj"), .. arguments]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, output);
        return output;
    }
}
