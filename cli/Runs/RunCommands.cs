using System.CommandLine;
using System.Globalization;
using FedServerless.Cli.Server;
using FedServerless.Wire;

namespace FedServerless.Cli.Runs;

/// <summary><c>fed run</c>: start, steer and watch runs.</summary>
internal static class RunCommands
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    public static Command Create(Shell shell) => new("run", "Start, steer and watch runs.")
    {
        Start(shell), List(shell), Status(shell), RunClientsCommand.Create(shell), Watch(shell),
        Steer(shell, "pause", "Pause a run at its next round boundary."),
        Steer(shell, "resume", "Go on with a paused run."),
        Steer(shell, "stop", "Stop a run; an open round is abandoned unless it is sealed already."),
        Steer(shell, "recover", "Start a run's workflow anew from what is stored."),
        Log(shell), Delete(shell),
    };

    internal static Argument<string> RunArgument() => new("run") { Description = "The run's name." };

    private static Command Start(Shell shell)
    {
        var run = RunArgument();
        var spec = new RunSpecOptions();
        var dryRun = new Option<bool>("--dry-run") { Description = "Only check, and show the specification with every default." };
        var watch = new Option<bool>("--watch") { Description = "Follow it to its end." };
        return new ServerOptions(shell).Command("start", "Create a run and start it.", [run, .. spec.All, dryRun, watch], async (parsed, server, answer, token) =>
        {
            var name = parsed.GetRequiredValue(run);
            var isDryRun = parsed.GetValue(dryRun);
            var created = await server.CreateRunAsync(new CreateRunRequest(name, spec.Build(parsed, shell.CurrentFolder), isDryRun), token);
            if (isDryRun)
            {
                answer.Say("The specification is valid; nothing was stored.");
                answer.WriteJson(created.Spec, WireJson.Default.RunSpec);
                return ExitCodes.Success;
            }

            var started = await server.SteerRunAsync(name, "start", null, token);
            if (parsed.GetValue(watch))
            {
                return await FollowAsync(shell, server, answer, name, token);
            }

            return answer.Write(started, WireJson.Default.RunView, view =>
            {
                shell.Output.WriteLine(RunWatch.Describe(view, null));
                shell.Output.WriteLine($"Follow it with: fed run watch {name}");
            });
        });
    }

    private static Command List(Shell shell) => new ServerOptions(shell).Command("list", "List the runs.", [], async (_, server, answer, token) =>
        answer.Write(await server.ListRunsAsync(token), WireJson.Default.ListingRunView, runs => answer.WriteTable(
            "No run yet. Create one with: fed run start NAME",
            ["run", "model", "state", "round", "published", "reason"],
            runs.Items.Select(run => (IReadOnlyList<string?>)
                [run.Id, run.Spec.Model, run.State, $"{run.Round}", $"{run.PublishedRounds} of {run.Spec.Rounds}", run.Reason ?? ""]))));

    private static Command Status(Shell shell)
    {
        const int RoundsShown = 10;
        var run = RunArgument();
        return new ServerOptions(shell).Command("status", "Show a run and its last rounds.", [run], async (parsed, server, answer, token) =>
        {
            var view = await server.GetRunAsync(parsed.GetRequiredValue(run), token);
            if (answer.IsJson)
            {
                return answer.Write(view, WireJson.Default.RunView, _ => { });
            }

            if (view.Cost is { } cost)
            {
                shell.Output.WriteLine(CostText.Long(cost));
            }

            var rounds = await server.ListRoundsAsync(view.Id, Math.Max(0, view.Round - RoundsShown), token);
            shell.Output.WriteLine(RunWatch.Describe(view, rounds.Items.LastOrDefault(round => !RunWatch.IsOver(round))));
            answer.WriteTable(
                "No round yet.",
                ["round", "state", "cohort", "receipts", "accepted", "cost", "version or reason"],
                rounds.Items.Select(round => (IReadOnlyList<string?>)
                    [$"{round.Round}", round.State, $"{round.Cohort}", $"{round.Receipts}", $"{round.Accepted}", CostText.Short(round.Cost), round.Version ?? round.Reason ?? ""]));
            foreach (var refusal in rounds.Items.SelectMany(round => round.Verdicts.Select(refusal => $"round {round.Round}: {refusal.Client}: {refusal.Reason}")))
            {
                shell.Output.WriteLine(refusal);
            }

            return ExitCodes.Success;
        });
    }

    private static Command Watch(Shell shell)
    {
        var run = RunArgument();
        return new ServerOptions(shell).Command("watch", "Follow a run to its end.", [run], (parsed, server, answer, token) =>
            FollowAsync(shell, server, answer, parsed.GetRequiredValue(run), token));
    }

    private static Command Steer(Shell shell, string verb, string description)
    {
        var run = RunArgument();
        var reason = new Option<string?>("--reason") { Description = "Why, for people.", HelpName = "TEXT" };
        IEnumerable<Symbol> symbols = verb == "recover" ? [run] : [run, reason];
        return new ServerOptions(shell).Command(verb, description, symbols, async (parsed, server, answer, token) =>
        {
            var why = verb == "recover" ? null : parsed.GetValue(reason);
            return answer.Write(
                await server.SteerRunAsync(parsed.GetRequiredValue(run), verb, why, token),
                WireJson.Default.RunView,
                view => shell.Output.WriteLine(RunWatch.Describe(view, null)));
        });
    }

    private static Command Log(Shell shell)
    {
        var run = RunArgument();
        var after = new Option<int>("--after") { Description = "Only entries after this number.", HelpName = "N" };
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on until the run ends." };
        return new ServerOptions(shell).Command("log", "Show what happened in a run.", [run, after, follow], async (parsed, server, answer, token) =>
        {
            var name = parsed.GetRequiredValue(run);
            var next = parsed.GetValue(after);
            while (true)
            {
                var isOver = !parsed.GetValue(follow) || RunStates.IsFinal((await server.GetRunAsync(name, token)).State);
                var page = await server.GetLogAsync(name, next, token);
                foreach (var entry in page.Entries)
                {
                    answer.Write(entry, WireJson.Default.LogEntry, shown =>
                        shell.Output.WriteLine($"{shown.Number,6}  {shown.Time.ToString("u", CultureInfo.InvariantCulture)}  {shown.Message}"));
                }

                next = page.Next;
                if (page.Entries.Count == 0)
                {
                    if (isOver)
                    {
                        return ExitCodes.Success;
                    }

                    await Task.Delay(LookEvery, shell.Time, token);
                }
            }
        });
    }

    private static Command Delete(Shell shell)
    {
        var run = RunArgument();
        return new ServerOptions(shell).Command("delete", "Delete a run that has ended or never started; versions it published stay.", [run], async (parsed, server, answer, token) =>
        {
            var view = await server.GetRunAsync(parsed.GetRequiredValue(run), token);
            await server.DeleteRunAsync(view.Id, token);
            return answer.Write(view, WireJson.Default.RunView, deleted => shell.Output.WriteLine($"{deleted.Id} is deleted."));
        });
    }

    private static async Task<int> FollowAsync(Shell shell, OperatorClient server, Answer answer, string run, CancellationToken cancellationToken)
    {
        RunView view;
        try
        {
            view = await new RunWatch(shell, server, answer).FollowAsync(run, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            throw new CommandException($"No longer watching; {run} goes on. Watch it again with: fed run watch {run}; end it with: fed run stop {run}");
        }

        answer.Write(view, WireJson.Default.RunView, ended => shell.Output.WriteLine(RunWatch.Describe(ended, null)));
        return view.State == RunStates.Completed ? ExitCodes.Success : ExitCodes.Failure;
    }
}
