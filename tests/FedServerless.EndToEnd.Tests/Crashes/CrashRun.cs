using FedServerless.Testing.Federation.Hosted;
using FedServerless.Wire;

namespace FedServerless.EndToEnd.Tests.Crashes;

/// <summary>What came of a whole federation to which something happened.</summary>
internal sealed record CrashRun(byte[] Model, IReadOnlyList<string> Writes, IReadOnlyList<Mishap> Left, int Lives, IReadOnlyList<string> Retries)
{
    private const int ClientCount = 3;

    // Three rounds were asked for; the evaluations, all alike, end it after two. One that got lost would let it go on.
    private const int Rounds = 2;

    private static readonly RunSpec Spec = Specs.Small(ClientCount, rounds: 3) with
    {
        Optimizer = new OptimizerSpec { Name = "fedavgm" },
        Evaluation = new EvaluationSpec { Clients = ["client-001"], Patience = 1, DeadlineSeconds = 100 },
    };

    /// <summary>Enrols, runs to the end and checks everything that must hold.</summary>
    public static async Task<CrashRun> RunAsync(WriteWatch watch, bool losesJournal = false)
    {
        await using var mortal = new MortalFederation(watch) { LosesJournal = losesJournal };
        var federation = mortal.Federation;
        try
        {
            await mortal.StartedAsync();
            await federation.EnrolAndStartAsync(ClientCount);
            await federation.Operator.StartRunAsync("run", Spec);
            var run = await EndAsync(federation.Operator, losesJournal);
            Assert.Equal((RunStates.Completed, Rounds), (run.State, run.PublishedRounds));
            await Consistency.CheckAsync(federation, "run", Rounds);
            await mortal.SupervisionAsync();
            return new CrashRun(
                await Published.BytesAsync(federation.Disk, "digits", $"run-r{Rounds}"), watch.Writes, watch.Left, mortal.Lives,
                [.. federation.Clients.SelectMany(client => client.Events).OfType<Client.Retrying>().Select(retry => retry.Reason)]);
        }
        catch (Exception exception)
        {
            var log = federation.Log.Where(line => !line.Contains("SimulatedCrash", StringComparison.Ordinal)).TakeLast(10);
            throw new InvalidOperationException($"{string.Join(", ", watch.Left)}: {exception.Message}\n{string.Join('\n', log)}", exception);
        }
    }

    private static async Task<RunView> EndAsync(OperatorCalls calls, bool losesJournal)
    {
        while (true)
        {
            var run = await calls.WaitForEndAsync("run");
            if (!losesJournal || run.State != RunStates.Failed)
            {
                return run;
            }

            try
            {
                await calls.SteerAsync("run", "recover");
            }
            catch (InvalidOperationException)
            {
                // A host found the run lost and recovered it itself, and it ended before this was asked; else the refusal stands.
                if ((await calls.RunAsync("run")).State == RunStates.Failed)
                {
                    throw;
                }
            }
        }
    }
}
