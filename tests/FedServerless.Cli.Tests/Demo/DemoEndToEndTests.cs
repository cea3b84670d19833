using System.Text.Json;
using FedServerless.Cli.Demo;
using FedServerless.Cli.Tests.Fakes;
using FedServerless.Wire;

namespace FedServerless.Cli.Tests.Demo;

/// <summary>The demo as a user runs it: the real host as a process, real clients over HTTP.</summary>
public sealed class DemoEndToEndTests
{
    [Fact]
    public async Task Demo_SameArgumentsTwice_GivesTheSameModel()
    {
        var first = await RunAsync("--model", "mlp", "--partition", "dirichlet:1");
        var second = await RunAsync("--model", "mlp", "--partition", "dirichlet:1");

        Assert.Equal(first.ModelSha256, second.ModelSha256);
        Assert.Equal((first.Accuracy, first.Loss, first.BytesUp, first.BytesDown), (second.Accuracy, second.Loss, second.BytesUp, second.BytesDown));
    }

    [Fact]
    public async Task Demo_Conv_LearnsWithItsOwnNumberOfParameters()
    {
        var result = await RunAsync("--model", "conv");

        Assert.Equal("conv", result.Model);
        Assert.InRange(result.Accuracy, 0.7, 1);
        Assert.InRange(result.BytesUp, 4 * 1898 * 4, 4 * 2 * 1898 * 4);
    }

    [Fact]
    public async Task Demo_FilesAndAzurite_GiveTheSameModel()
    {
        RealHost.RequireAzurite();

        var files = await RunAsync();
        var azurite = await RunAsync("--azurite");

        Assert.Equal(("files", "azurite"), (files.Store, azurite.Store));
        Assert.Equal(files.ModelSha256, azurite.ModelSha256);
    }

    [Fact]
    public async Task Demo_TwoClientsTwoRounds_LearnsAndCountsEveryByte()
    {
        var result = await RunAsync();

        Assert.Equal((2, 2, "demo-r2", "softmax", "iid"), (result.Rounds, result.Clients, result.ModelVersion, result.Model, result.Partition));
        Assert.InRange(result.Accuracy, 0.85, 1);
        Assert.InRange(result.Loss, 0.01, Math.Log(10) / 2);

        // 650 float32 parameters each way, twice for two clients, and at least a header with each.
        Assert.InRange(result.BytesUp, 4 * 650 * 4, 4 * 2 * 650 * 4);
        Assert.InRange(result.BytesDown, 4 * 650 * 4, 4 * 2 * 650 * 4);
    }

    [Fact]
    public async Task Demo_SparseCodec_SendsAFractionAndLearns()
    {
        var result = await RunAsync("--codec", "top-k-int8", "--keep", "0.1");

        // 65 of 650 parameters in little more than a byte each, beside 4 of 2600 bytes: the header of 124 or so outweighs them.
        Assert.InRange(result.BytesUp, 4 * 65, 4 * 400);
        Assert.InRange(result.Accuracy, 0.6, 1);
    }

    // The level is 8; the run may not cost more by any account, and spends the whole budget as the ledger counts.
    [Fact]
    public async Task Demo_Private_SpendsItsBudgetAndSaysBothEpsilons()
    {
        using var shell = RealHost.CreateShell();

        Assert.Equal(ExitCodes.Success, await shell.RunAsync("demo", "--privacy", "light", "--clients", "4", "--rounds", "2", "--json"));

        var result = JsonSerializer.Deserialize(shell.Output.TrimEnd().Split('\n')[^1], DemoJson.Default.DemoResult)!;
        Assert.Equal((2, "demo-r2"), (result.Rounds, result.ModelVersion));
        Assert.InRange(result.Epsilon!.Value, 4, 8);
        Assert.InRange(result.CohortEpsilon!.Value, result.Epsilon.Value, 100);
        Assert.Contains("against observers of cohorts", shell.Output, StringComparison.Ordinal);
        Assert.Contains("charged 100.0 % of it, with reservations 100.0 %, left 0.0 %.", shell.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("strict", 1)]
    [InlineData("balanced", 100)]
    [InlineData("light", 140)]
    public void ToSpec_Private_IsLegalAndItsBudgetHoldsIt(string level, int clients)
    {
        var options = new DemoOptions { Privacy = level, Clients = clients };

        Assert.Empty(RunSpecValidator.Validate(options.ToSpec()));
        Assert.True(SetBudgetRequest.TryParse(JsonSerializer.SerializeToUtf8Bytes(options.ToBudget()!, WireJson.Default.SetBudgetRequest), out _, out _));
    }

    [Fact]
    public async Task Demo_NoSuchLevel_IsRefused()
    {
        using var shell = RealHost.CreateShell();

        Assert.Equal(ExitCodes.Usage, await shell.RunAsync("demo", "--privacy", "some"));

        Assert.Contains("--privacy is 'some'; expected strict, balanced or light.", shell.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Demo_FolderHoldsAnEndedDemo_SaysSo()
    {
        using var shell = RealHost.CreateShell();
        string[] line = ["demo", "--clients", "2", "--rounds", "1", "--data", "kept"];
        Assert.Equal(ExitCodes.Success, await shell.RunAsync(line));
        Assert.Contains("fed up --data", shell.Output, StringComparison.Ordinal);

        Assert.Equal(ExitCodes.Failure, await shell.RunAsync(line));

        Assert.Contains("holds a demo that has ended", shell.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Demo_FolderHoldsAnInterruptedDemo_SaysSo()
    {
        using var shell = RealHost.CreateShell();
        string[] line = ["demo", "--clients", "2", "--rounds", "1000", "--data", "kept"];
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var demo = FedTool.RunAsync(line, shell.Shell, stop.Token);
        while (!demo.IsCompleted && !shell.Output.Contains("    1  ", StringComparison.Ordinal))
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        await stop.CancelAsync();
        Assert.Equal(ExitCodes.Failure, await demo);
        Assert.Contains("cancelled", shell.Error, StringComparison.Ordinal);

        Assert.Equal(ExitCodes.Failure, await shell.RunAsync(line));
        Assert.Contains("holds a demo that was interrupted", shell.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Demo_HostIsMissing_SaysWhereItWasSought()
    {
        using var shell = RealHost.CreateShell().Set(Variables.Host, "/nowhere/host.dll");

        Assert.Equal(ExitCodes.Failure, await shell.RunAsync("demo"));

        Assert.Contains("/nowhere/host.dll", shell.Error, StringComparison.Ordinal);
    }

    private static async Task<DemoResult> RunAsync(params string[] options)
    {
        using var shell = RealHost.CreateShell();
        var exitCode = await shell.RunAsync(["demo", "--clients", "2", "--rounds", "2", "--json", .. options]);
        Assert.True(exitCode == ExitCodes.Success, shell.Error);
        return JsonSerializer.Deserialize(shell.Output.TrimEnd().Split('\n')[^1], DemoJson.Default.DemoResult)!;
    }
}
