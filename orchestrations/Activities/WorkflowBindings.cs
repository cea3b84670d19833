using FedServerless.Activities.Telemetry;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;
using FedServerless.Workflows.Runs;

namespace FedServerless.Activities;

/// <summary>Every workflow and activity there is, once: what each host binds to its engine.</summary>
public static class WorkflowBindings
{
    /// <summary>Binds them all.</summary>
    public static void BindAll(IWorkflowBinder binder, ActivitySet activities)
    {
        ArgumentNullException.ThrowIfNull(binder);
        ArgumentNullException.ThrowIfNull(activities);
        binder = new TracingBinder(binder);
        binder.Bind(TrainingRunWorkflow.Definition, new TrainingRunWorkflow());
        binder.Bind(RoundWorkflow.Definition, new RoundWorkflow());
        binder.Bind(RoundStageWorkflow.Definition, new RoundStageWorkflow());
        binder.Bind(EvaluationWorkflow.Definition, new EvaluationWorkflow());
        binder.Bind(RunActivities.DecideStep, activities.DecideStep);
        binder.Bind(RoundActivities.PlanRound, activities.PlanRound);
        binder.Bind(RoundActivities.OpenRound, activities.OpenRound);
        binder.Bind(RoundActivities.CountReceipts, activities.CountReceipts);
        binder.Bind(RoundActivities.SealRound, activities.SealRound);
        binder.Bind(RoundActivities.ValidateUpdates, activities.ValidateUpdates);
        binder.Bind(RoundActivities.AcceptUpdates, activities.AcceptUpdates);
        binder.Bind(RoundActivities.ChargePrivacy, activities.ChargePrivacy);
        binder.Bind(RoundActivities.MeasureShard, activities.MeasureShard);
        binder.Bind(RoundActivities.DecideAggregation, activities.DecideAggregation);
        binder.Bind(RoundActivities.FoldChunks, activities.FoldChunks);
        binder.Bind(RoundActivities.ReduceShard, activities.ReduceShard);
        binder.Bind(RoundActivities.PublishModel, activities.PublishModel);
        binder.Bind(RoundActivities.CloseRound, activities.CloseRound);
        binder.Bind(RoundActivities.CleanUpdates, activities.CleanUpdates);
        binder.Bind(RoundActivities.OpenEvaluation, activities.OpenEvaluation);
        binder.Bind(RoundActivities.CountEvaluations, activities.CountEvaluations);
        binder.Bind(RoundActivities.SealEvaluation, activities.SealEvaluation);
    }
}
