using System.Diagnostics;
using FedServerless.Client;
using FedServerless.Testing.Federation.Hosted;
using FedServerless.Wire;

namespace FedServerless.EndToEnd.Tests;

/// <summary>
/// Many clients and large models against the host's own program. Times are printed, never asserted; memory is: the host keeps to
/// a bound that grows neither with the cohort nor with the model.
/// </summary>
public sealed class LoadTests(ITestOutputHelper output)
{
    private const long MaxAboveIdle = 256L << 20;

    [Fact]
    public async Task Round_TenAndTwoHundredClientsOfOneMegabyte_StayWithinTheBound()
    {
        var ten = await RoundAsync(clients: 10, inputs: 4095);
        var many = await RoundAsync(clients: 200, inputs: 4095);

        Assert.InRange(ten.AboveIdle, 0, MaxAboveIdle);
        Assert.InRange(many.AboveIdle, 0, MaxAboveIdle);
    }

    [Fact]
    public async Task Round_ThreeClientsOfAHundredMegabytes_KeepsTheHostSmall()
    {
        var (aboveIdle, _) = await RoundAsync(clients: 3, inputs: 409_599);

        Assert.InRange(aboveIdle, 0, MaxAboveIdle);
    }

    private async Task<(long AboveIdle, TimeSpan Time)> RoundAsync(int clients, int inputs)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The host's memory is read from /proc.");
        await using var federation = await HostedFederation.StartedAsync(new HostedParts { AsProcess = true, Arguments = ["--no-flush"] });
        var trainer = FedTrainer.Create(context =>
        {
            context.Model.Parameters[^1] += 1;
            return new FitResult(10);
        });
        for (var i = 0; i < clients; i++)
        {
            (await federation.EnrolAsync($"client-{i:D3}", trainer)).Start();
        }

        var spec = Specs.Small(clients, rounds: 1) with
        {
            Architecture = new ArchitectureSpec { Name = "softmax", Inputs = inputs, Outputs = 64 },
            Update = new UpdateSpec(),
            RetainUpdates = false,
        };
        var idle = federation.Process.Memory("VmRSS");
        federation.Process.ForgetPeak();
        var time = Stopwatch.StartNew();
        await federation.Operator.StartRunAsync("run", spec);
        var run = await federation.Operator.WaitForEndAsync("run");
        time.Stop();
        var aboveIdle = federation.Process.Memory("VmHWM") - idle;

        Assert.Equal((RunStates.Completed, 1), (run.State, run.PublishedRounds));
        Assert.Equal(clients, (await federation.Operator.RoundAsync("run", 1)).Accepted);
        output.WriteLine(
            $"{clients} clients, {(inputs + 1) * 64L * sizeof(float) / 1048576.0:F0} MiB: {time.Elapsed.TotalSeconds:F2} s, "
            + $"{clients / time.Elapsed.TotalSeconds:F1} updates/s, host {idle >> 20} MiB idle, {aboveIdle >> 20} MiB above at its peak");
        return (aboveIdle, time.Elapsed);
    }
}
