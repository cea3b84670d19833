using FedServerless.Testing;
using FedServerless.Testing.Federation.Hosted;
using FedServerless.Wire;

namespace FedServerless.Samples.Tests;

/// <summary>What the documentation shows is run as it is shown: the samples' own programs against the real local host.</summary>
public sealed class SampleTests
{
    private static readonly string Digits = RepositoryRoot.Combine("samples", "digits", "optdigits.csv.gz");

    [Fact]
    public void EdgeApp_IsUnderFifteenLines() =>
        Assert.InRange(File.ReadLines(RepositoryRoot.Combine("samples", "EdgeApp", "Program.cs")).Count(line => !line.StartsWith('#')), 1, 14);

    [Theory]
    [InlineData("EdgeApp")]
    [InlineData("FirstClient")]
    public async Task Sample_OfDigits_TrainsThemAndEndsOnCtrlC(string sample)
    {
        await using var federation = await HostedFederation.StartedAsync();
        await using var edge = SampleProcess.Start(sample, federation.Folder.Combine(sample), await federation.CodeAsync(), Digits);

        var accuracy = await TrainDigitsAsync(federation);

        // 0.953 after sixteen passes of softmax regression, measured on the samples it was trained on.
        Assert.InRange(accuracy, 0.85, 1);
        Assert.Equal(0, await edge.SignalAsync("INT"));
    }

    [Fact]
    public async Task WorkerService_ToldToStop_HasTrainedAndEndsWithZero()
    {
        await using var federation = await HostedFederation.StartedAsync();
        var folder = federation.Folder.Combine("worker");
        await using var worker = SampleProcess.Start(
            "WorkerService", folder, "--Federation:Code", await federation.CodeAsync(), "--Federation:Samples", Digits, "--Federation:State", "kept-here");

        var accuracy = await TrainDigitsAsync(federation);

        Assert.InRange(accuracy, 0.85, 1);
        Assert.Equal(0, await worker.SignalAsync("TERM"));
        Assert.True(Directory.Exists(Path.Combine(folder, "kept-here")));
    }

    [Theory]
    [InlineData("no-code", "optdigits.csv.gz", "This is not an enrolment code")]
    [InlineData(null, "optdigits.csv.gz", "The setting Federation:Code is missing")]
    [InlineData("no-code", "none.csv", "Could not find file")]
    [InlineData("no-code", "ATTRIBUTION.md", "Line 1 does not end in a comma and a label")]
    public async Task WorkerService_WhatOnlyAPersonCanMend_EndsItWithTheReason(string? code, string samples, string reason)
    {
        using var folder = new ScratchFolder();
        string[] setting = code is null ? [] : ["--Federation:Code", code];
        var file = RepositoryRoot.Combine("samples", "digits", samples);
        await using var worker = SampleProcess.Start("WorkerService", folder.Combine("worker"), ["--Federation:Samples", file, .. setting]);

        Assert.Equal(1, await worker.ExitAsync());
        Assert.Contains(worker.Output, line => line.Contains(reason, StringComparison.Ordinal));
        Assert.DoesNotContain(worker.Output, line => line.Contains("   at ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task OwnTrainer_ItsModelAndItsClient_FindTheLine()
    {
        await using var federation = await HostedFederation.StartedAsync();
        var file = federation.Folder.Combine("line.safetensors");
        await using (var model = SampleProcess.Start("OwnTrainer", federation.Folder.Combine("line"), "model", file))
        {
            Assert.Equal(0, await model.ExitAsync());
        }

        await federation.Operator.PutModelAsync("line", await File.ReadAllBytesAsync(file));
        await using var client = SampleProcess.Start("OwnTrainer", federation.Folder.Combine("line"), "run", await federation.CodeAsync());
        await federation.Operator.StartRunAsync("run", Spec("line", rounds: 30));
        await federation.Operator.WaitForEndAsync("run");

        var line = await federation.PublishedAsync("line", "run-r30");
        Assert.Equal(2, line.Values[0], 0.2f);
        Assert.Equal(1, line.Values[1], 0.2f);
    }

    private static async Task<double> TrainDigitsAsync(HostedFederation federation)
    {
        var spec = Spec("digits", rounds: 4) with
        {
            Architecture = new ArchitectureSpec { Name = "softmax", Inputs = 64, Outputs = 10 },
            Training = new TrainingSpec { Epochs = 4 },
            Evaluation = new EvaluationSpec(),
        };
        await federation.Operator.StartRunAsync("run", spec);
        var run = await federation.Operator.WaitForEndAsync("run");
        Assert.Equal((RunStates.Completed, 4), (run.State, run.PublishedRounds));
        return (await federation.Operator.RoundAsync("run", 4)).Metrics["eval.accuracy"];
    }

    private static RunSpec Spec(string model, int rounds) => new()
    {
        Model = model,
        Rounds = rounds,
        Seed = 3,
        Round = new RoundSpec { DeadlineSeconds = 100, Minimum = 1 },
    };
}
