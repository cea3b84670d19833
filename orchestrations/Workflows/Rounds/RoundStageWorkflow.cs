using FedServerless.Workflows.Engine;

namespace FedServerless.Workflows.Rounds;

/// <summary>A part of a stage that is too large for the round's own fan-out: at most a thousand tasks.</summary>
public sealed class RoundStageWorkflow : IWorkflow<StageInput, StageDone>
{
    /// <summary>Its name and types.</summary>
    public static Workflow<StageInput, StageDone> Definition { get; } = new("RoundStage");

    /// <inheritdoc/>
    public async Task<Turn<StageInput, StageDone>> RunAsync(IWorkflowContext context, StageInput input) =>
        Turn<StageInput, StageDone>.Done(new StageDone(await RoundStages.FanOutAsync(context, input)));
}
