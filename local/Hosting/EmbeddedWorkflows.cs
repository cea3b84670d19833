using FedServerless.Activities;
using FedServerless.Local.Engine;
using FedServerless.Workflows;
using FedServerless.Workflows.Rounds;
using FedServerless.Workflows.Runs;

namespace FedServerless.Local.Hosting;

/// <summary>Every workflow and activity, registered with the embedded engine.</summary>
internal static class EmbeddedWorkflows
{
    public static EmbeddedEngineBuilder Register(ActivitySet activities) => new EmbeddedEngineBuilder(WorkflowJson.Default)
        .AddWorkflow(TrainingRunWorkflow.Definition, new TrainingRunWorkflow())
        .AddWorkflow(RoundWorkflow.Definition, new RoundWorkflow())
        .AddWorkflow(EvaluationWorkflow.Definition, new EvaluationWorkflow())
        .AddActivity(RunActivities.DecideStep, _ => activities.DecideStep)
        .AddActivity(RoundActivities.PlanRound, _ => activities.PlanRound)
        .AddActivity(RoundActivities.OpenRound, _ => activities.OpenRound)
        .AddActivity(RoundActivities.CountReceipts, _ => activities.CountReceipts)
        .AddActivity(RoundActivities.SealRound, _ => activities.SealRound)
        .AddActivity(RoundActivities.ValidateUpdates, _ => activities.ValidateUpdates)
        .AddActivity(RoundActivities.AcceptUpdates, _ => activities.AcceptUpdates)
        .AddActivity(RoundActivities.ReduceShard, _ => activities.ReduceShard)
        .AddActivity(RoundActivities.PublishModel, _ => activities.PublishModel)
        .AddActivity(RoundActivities.CloseRound, _ => activities.CloseRound)
        .AddActivity(RoundActivities.OpenEvaluation, _ => activities.OpenEvaluation)
        .AddActivity(RoundActivities.CountEvaluations, _ => activities.CountEvaluations)
        .AddActivity(RoundActivities.SealEvaluation, _ => activities.SealEvaluation);
}
