using FedServerless.Workflows.Engine;

namespace FedServerless.Workflows.Rounds;

/// <summary>Has clients evaluate a round's version; closed and sealed like receipts. Its output is the number of sealed evaluations.</summary>
public sealed class EvaluationWorkflow : IWorkflow<RoundInput, int>
{
    /// <summary>Its name and types.</summary>
    public static Workflow<RoundInput, int> Definition { get; } = new("Evaluation");

    /// <summary>The instance of a run's evaluation of a round.</summary>
    public static string InstanceId(string runInstance, int round) => $"{runInstance}~e{round:D6}";

    /// <inheritdoc/>
    public async Task<Turn<RoundInput, int>> RunAsync(IWorkflowContext context, RoundInput input)
    {
        var opened = await context.CallAsync(RoundActivities.OpenEvaluation, input);
        await Collecting.WaitAsync(context, opened, RoundActivities.CountEvaluations, input);
        return Turn<RoundInput, int>.Done(await context.CallAsync(RoundActivities.SealEvaluation, input));
    }
}
