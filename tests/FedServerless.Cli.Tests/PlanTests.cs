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

    [Fact]
    public async Task RunAsync_CodecsToChooseFrom_SaysTheRangeAndThatEpochsCostNothing()
    {
        using var shell = new TestShell();

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("plan", "--clients", "1000", "--parameters", "1000000", "--adapt-codecs", "float32,int8,top-k-int8"));

        // 4 bytes a parameter down to one: 3.8 MiB is the plan's own line as well.
        Assert.Contains("an update takes 20.", shell.Output, StringComparison.Ordinal);
        Assert.Contains("KiB (top-k-int8) to 3.8 MiB (float32)", shell.Output, StringComparison.Ordinal);
        Assert.Contains("Epochs and batches are the devices' own time", shell.Output, StringComparison.Ordinal);
    }

    // A round moves the model and the update: 8 MB in float32, 5 MB in int8.
    [Theory]
    [InlineData("90000000", "11.2 to 18.0 rounds a day", false)]
    [InlineData("6000000", "0.750 to 1.20 rounds a day", true)]
    public async Task RunAsync_BytesADay_SaysHowOftenAClientTakesPart(string bytes, string rounds, bool isBroken)
    {
        using var shell = new TestShell();

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("plan", "--clients", "1000", "--parameters", "1000000", "--adapt-codecs", "float32,int8", "--adapt-bytes-per-day", bytes));

        Assert.Contains(rounds, shell.Output, StringComparison.Ordinal);
        Assert.Equal(isBroken, shell.Output.Contains("BROKEN as float32: a round moves 7.6 MiB, more than a client may in a day: nobody could take part.", StringComparison.Ordinal));
        Assert.DoesNotContain("BROKEN as int8", shell.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_CodecsAsJson_IsALineForTheQuestionAndOneForEach()
    {
        using var shell = new TestShell();

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("plan", "--clients", "100", "--parameters", "100000", "--adapt-codecs", "float32,int8", "--json"));

        var sizes = shell.Output.TrimEnd().Split('\n').Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("round").GetProperty("size").GetProperty("updateBytes").GetInt64()).ToArray();
        Assert.Equal(3, sizes.Length);
        Assert.Equal(sizes[0], sizes[1]);
        Assert.InRange(sizes[2], sizes[1] / 4.1, sizes[1] / 3.9);
    }

    [Theory]
    [InlineData("--clients", "10", "--parameters", "10", "--adapt-codecs", "int8,zip")]
    [InlineData("--clients", "10", "--parameters", "10", "--adapt-bytes-per-day", "0")]
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
