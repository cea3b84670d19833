using FedServerless.Cli.Output;
using FedServerless.Cli.Server;
using FedServerless.Wire;

namespace FedServerless.Cli.Runs;

/// <summary>Follows a run until it ends: a line for each round that is over, and one below that says what is going on.</summary>
internal sealed class RunWatch(Shell shell, OperatorClient server, Answer answer)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(0.5);

    private static readonly Columns Table = new(("round", 5), ("outcome", 9), ("cohort", 6), ("accepted", 8), ("loss", 8), ("accuracy", 8), ("version", 0));

    /// <summary>Watches from its first round.</summary>
    /// <returns>The run as it ended; with nothing more to come, not before.</returns>
    public async Task<RunView> FollowAsync(string run, CancellationToken cancellationToken)
    {
        await server.GetRunAsync(run, cancellationToken);
        answer.Say(Table.Header);
        return await LiveStatus.RunAsync(shell, answer.IsJson, $"{run}: asking", async status =>
        {
            var (shown, told) = (0, "");
            while (true)
            {
                // The state first: rounds that are over by then are all in the listings that follow, which may be pages.
                var view = await server.GetRunAsync(run, cancellationToken);
                var before = shown;
                RoundView? open = null;
                foreach (var round in (await server.ListRoundsAsync(run, shown, cancellationToken)).Items)
                {
                    if (!IsOver(round))
                    {
                        open = round;
                        break;
                    }

                    Show(round);
                    shown = round.Round;
                }

                if (RunStates.IsFinal(view.State) && (shown >= view.Round || shown == before))
                {
                    return view;
                }

                status(Describe(view, open));
                told = TellWithoutTerminal(view, told);
                await Task.Delay(LookEvery, shell.Time, cancellationToken);
            }
        });
    }

    /// <summary>What a run is doing, in a line.</summary>
    public static string Describe(RunView run, RoundView? open)
    {
        var where = open is null || RunStates.IsFinal(run.State) ? run.Reason : $"round {open.Round} is {open.State}, {open.Receipts} of {open.Cohort} updates here";
        return $"{run.Id}: {run.State}, {run.PublishedRounds} of {run.Spec.Rounds} rounds published{(where is null ? "" : $"; {where}")}";
    }

    /// <summary>True for a round that will not change any more.</summary>
    public static bool IsOver(RoundView round) => round.State is "published" or "abandoned";

    // Where no line below the rows can change, a run that waits or pauses would look like one that hangs.
    private string TellWithoutTerminal(RunView run, string told)
    {
        if (!shell.Console.Profile.Capabilities.Interactive && run.State != told && run.State != RunStates.Running)
        {
            answer.Say(Describe(run, null));
        }

        return run.State;
    }

    private void Show(RoundView round)
    {
        answer.Say(Table.Row(
            $"{round.Round}", round.State, $"{round.Cohort}", $"{round.Accepted}",
            Columns.Number(Metric(round, "loss"), 4), Columns.Number(Metric(round, "accuracy"), 4), round.Version ?? round.Reason ?? ""));
        foreach (var refusal in round.Verdicts)
        {
            answer.Say($"       {refusal.Client}: {refusal.Reason}");
        }
    }

    // Evaluations by clients first; else what clients reported of their training.
    private static double? Metric(RoundView round, string name) =>
        round.Metrics.TryGetValue($"eval.{name}", out var evaluated) ? evaluated
        : round.Metrics.TryGetValue(name, out var reported) ? reported
        : round.Metrics.TryGetValue($"training-{name}", out var training) ? training
        : null;
}
