using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Workflows.Runs;

/// <summary>
/// Trains a model over many rounds, one at a time, and continues as new after each: its journal never holds more than one
/// round. It keeps no state that blobs do not have, so it may be started again from nothing at any moment.
/// </summary>
public sealed class TrainingRunWorkflow : IWorkflow<RunProgress, RunResult>
{
    /// <summary>Its name and types.</summary>
    public static Workflow<RunProgress, RunResult> Definition { get; } = new("TrainingRun");

    /// <inheritdoc/>
    public async Task<Turn<RunProgress, RunResult>> RunAsync(IWorkflowContext context, RunProgress input)
    {
        var step = await context.CallAsync(RunActivities.DecideStep, input);
        switch (step.Kind)
        {
            case RunStepKind.Ended:
                context.SetStatus(step.State!);
                return Turn<RunProgress, RunResult>.Done(new RunResult(step.State!, step.Reason));

            case RunStepKind.Round:
                return Turn<RunProgress, RunResult>.Again(await DoRoundAsync(context, step.Progress));

            case RunStepKind.Evaluation:
                await EvaluateAsync(context, step.Progress.Run, step.Progress.Round - 1);
                return Turn<RunProgress, RunResult>.Again(step.Progress);

            case RunStepKind.WaitForClients:
                await WaitAsync(context, WakeEvents.Clients, step);
                return Turn<RunProgress, RunResult>.Again(step.Progress);

            case RunStepKind.WaitForOperator:
                await WaitAsync(context, WakeEvents.Control, step);
                return Turn<RunProgress, RunResult>.Again(step.Progress);

            case RunStepKind.BackOff:
                // A wake means that the operator wants something: look before the pause is over, but do not cut it short.
                var woken = await WaitAsync(context, WakeEvents.Control, step);
                return Turn<RunProgress, RunResult>.Again(step.Progress with { BackedOff = !woken });

            default:
                throw new InvalidOperationException($"Unknown step {step.Kind}.");
        }
    }

    private static async Task<RunProgress> DoRoundAsync(IWorkflowContext context, RunProgress progress)
    {
        context.SetStatus($"{RunStatusTexts.Round} {progress.Round}");
        var input = new RoundInput(progress.Run, progress.Round);
        var outcome = await context.RunAsync(RoundWorkflow.Definition, RoundWorkflow.InstanceId(context.InstanceId, progress.Round), input);
        if (outcome.EvaluationDue)
        {
            await EvaluateAsync(context, progress.Run, progress.Round);
        }

        return outcome.Kind == RoundOutcomeKind.Published
            ? progress with { Round = progress.Round + 1, Published = progress.Published + 1, AbandonedInRow = 0, BackedOff = false }
            : progress with { Round = progress.Round + 1, AbandonedInRow = progress.AbandonedInRow + 1, BackedOff = false };
    }

    private static Task<int> EvaluateAsync(IWorkflowContext context, string run, int round)
    {
        context.SetStatus($"{RunStatusTexts.Evaluating} {round}");
        return context.RunAsync(EvaluationWorkflow.Definition, EvaluationWorkflow.InstanceId(context.InstanceId, round), new RoundInput(run, round));
    }

    private static Task<bool> WaitAsync(IWorkflowContext context, string wake, RunStep step)
    {
        context.SetStatus(step.Reason ?? step.Kind.ToString());
        return context.WaitForEventAsync(wake, context.UtcNow.AddSeconds(step.PauseSeconds));
    }
}
