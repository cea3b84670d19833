using FedServerless.Workflows.Engine;

namespace FedServerless.Workflows.Rounds;

/// <summary>One round: select, publish, collect, seal, aggregate, publish. Every step's result is a blob; this only orders the steps.</summary>
public sealed class RoundWorkflow : IWorkflow<RoundInput, RoundOutcome>
{
    /// <summary>Its name and types.</summary>
    public static Workflow<RoundInput, RoundOutcome> Definition { get; } = new("Round");

    /// <summary>The instance of a run's round. No run id has a tilde, so no run is ever taken for another one's round.</summary>
    public static string InstanceId(string runInstance, int round) => $"{runInstance}~r{round:D6}";

    /// <inheritdoc/>
    public async Task<Turn<RoundInput, RoundOutcome>> RunAsync(IWorkflowContext context, RoundInput input)
    {
        var (reason, version) = await PublishAsync(context, input);
        var outcome = await context.CallAsync(RoundActivities.CloseRound, new CloseInput(input.Run, input.Round, reason, version));
        await RoundStages.RunAsync(context, RoundStage.Clean, input, outcome.CleanTasks);
        return Turn<RoundInput, RoundOutcome>.Done(outcome);
    }

    /// <summary>The version, or the reason why there is none; a null reason without a version leaves it to the seal.</summary>
    private static async Task<(string? Reason, string? Version)> PublishAsync(IWorkflowContext context, RoundInput input)
    {
        var plan = await context.CallAsync(RoundActivities.PlanRound, input);
        if (plan.Cohort > 0 || plan.IsPrivate)
        {
            var opened = await context.CallAsync(RoundActivities.OpenRound, input);
            context.SetStatus("collecting");
            await Collecting.WaitAsync(context, opened, RoundActivities.CountReceipts, input);
        }

        var seal = await context.CallAsync(RoundActivities.SealRound, input);
        if (!seal.Aggregate)
        {
            return (null, null);
        }

        context.SetStatus("validating");
        await RoundStages.RunAsync(context, RoundStage.Validate, input, seal.Chunks);
        var accepted = await context.CallAsync(RoundActivities.AcceptUpdates, input);
        if (!accepted.Enough)
        {
            return ($"{accepted.Accepted} updates were accepted, fewer than the minimum.", null);
        }

        if (plan.IsPrivate)
        {
            await context.CallAsync(RoundActivities.ChargePrivacy, input);
        }

        context.SetStatus("aggregating");
        var folds = accepted.Folds;
        if (accepted.Decides)
        {
            await RoundStages.RunAsync(context, RoundStage.Measure, input, accepted.Measures);
            var decided = await context.CallAsync(RoundActivities.DecideAggregation, input);
            if (decided.Refusal is not null)
            {
                return (decided.Refusal, null);
            }

            folds = decided.Folds;
        }

        await RoundStages.RunAsync(context, RoundStage.Fold, input, folds);
        if (!await RoundStages.RunAsync(context, RoundStage.Reduce, input, plan.Shards))
        {
            return ("The new weights are not all finite; the model stays as it was.", null);
        }

        var published = await context.CallAsync(RoundActivities.PublishModel, input);
        return (published.Reason, published.Version);
    }
}
