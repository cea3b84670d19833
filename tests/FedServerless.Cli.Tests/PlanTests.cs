using FedServerless.Cli.Plans;
using FedServerless.Cli.Tests.Fakes;
using FedServerless.Testing;

namespace FedServerless.Cli.Tests;

public sealed class PlanTests
{
    [Fact]
    public void Markdown_PageOfScale_HasTheTablesAsTheCodeMakesThem()
    {
        var page = File.ReadAllText(RepositoryRoot.Combine("docs/concepts/scale.md")).ReplaceLineEndings("\n");

        // fed plan --table writes them.
        Assert.Contains(PlanTables.Markdown(), page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_ADeployment_SaysWhatFollowsAndWhatBinds()
    {
        using var shell = new TestShell();

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("plan", "--clients", "100000", "--parameters", "1000000"));

        Assert.Contains("two levels", shell.Output, StringComparison.Ordinal);
        Assert.Contains("FoldChunks", shell.Output, StringComparison.Ordinal);
        Assert.Contains("USD", shell.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("BROKEN", shell.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_ALimitThatIsBroken_SaysWhatToChange()
    {
        using var shell = new TestShell();

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("plan", "--clients", "1000000", "--parameters", "100000000", "--round-hours", "1"));

        Assert.Contains("BROKEN", shell.Output, StringComparison.Ordinal);
        Assert.Contains("longer rounds", shell.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_EncodedDownload_SendsAQuarterToDevices()
    {
        using var shell = new TestShell();

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("plan", "--clients", "100000", "--parameters", "1000000", "--download", "int8"));

        // 372.5 GiB as float32: docs/how-to/plan-a-deployment.md.
        Assert.Contains("93.2 GiB to devices", shell.Output, StringComparison.Ordinal);
        Assert.Contains("as int8", shell.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_Json_IsOneDocumentWithSteps()
    {
        using var shell = new TestShell();

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("plan", "--clients", "100", "--parameters", "1000", "--json"));

        using var json = System.Text.Json.JsonDocument.Parse(shell.Output);
        Assert.Equal("DecideStep", json.RootElement.GetProperty("steps")[0].GetProperty("forecast").GetProperty("name").GetString());
        Assert.True(json.RootElement.GetProperty("fits").GetBoolean());
    }

    [Theory]
    [InlineData("--clients", "0", "--parameters", "1000")]
    [InlineData("--clients", "1000001", "--parameters", "1000")]
    [InlineData("--clients", "10", "--parameters", "0")]
    [InlineData("--clients", "10", "--parameters", "10", "--cohort", "11")]
    [InlineData("--clients", "10", "--parameters", "10", "--memory", "1024")]
    [InlineData("--clients", "10")]
    public async Task RunAsync_WhatCannotBe_IsRefused(params string[] args)
    {
        using var shell = new TestShell();

        Assert.Equal(ExitCodes.Usage, await shell.RunAsync(["plan", .. args]));
    }
}
