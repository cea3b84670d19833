using System.Globalization;
using FedServerless.Capacity;
using FedServerless.Cli.Output;
using FedServerless.Cli.Runs;
using FedServerless.Cli.Server;
using FedServerless.Wire.Downloads;

namespace FedServerless.Cli.Plans;

/// <summary>A plan for people.</summary>
internal static class PlanText
{
    public static void Write(Shell shell, DeploymentQuestion question, DeploymentPlan plan)
    {
        var reduction = plan.Round.Reduction;
        Line(shell, $"{question.Clients} clients, {question.Invited} in a round of {question.RoundHours} h; {question.Parameters} parameters as {question.Codec}: {Columns.Bytes(plan.Round.Size.UpdateBytes)} an update.");
        Line(shell, $"The reduction takes {Levels(plan)}; validation {plan.Round.Validations} activities of up to {reduction.ValidationClients} updates; {(reduction.CleanTasks == 0 ? "closing cleans up" : $"{reduction.CleanTasks} activities clean up")}.");
        Line(shell, $"Devices check in every {plan.PaceSeconds:0} s and fetch the model{(question.Download == DownloadEncodings.Float32 ? "" : $" as {question.Download}")} from {(plan.Replicas == 1 ? "one blob" : $"{plan.Replicas} replicas")}.");
        new Answer(shell, false).WriteTable(
            "", ["step", "tasks", "instances", "seconds", "seconds each", "writes", "reads", "lists", "deletes", "bytes read"],
            plan.Steps.Append(plan.Idle).Select(step => (IReadOnlyList<string?>)
            [
                step.Forecast.Name, Number(step.Forecast.Tasks), Number(step.Instances), Seconds(step.Seconds), Seconds(step.Forecast.SecondsEach),
                Number(step.Forecast.Usage.Writes), Number(step.Forecast.Usage.Reads), Number(step.Forecast.Usage.Lists), Number(step.Forecast.Usage.Deletes),
                Columns.Bytes(step.Forecast.Usage.BytesRead),
            ]));
        Line(shell, $"From seal to version: {Seconds(plan.AggregationSeconds)} s. A round costs about {CostText.Amount(plan.Cost)} {question.Prices.Currency} ({question.Prices.Name}): {Number(plan.Usage.Requests)} requests, {plan.Usage.GbSeconds:0} GB-s, {Columns.Bytes(plan.Usage.EgressBytes)} to devices.");
        foreach (var finding in plan.Findings)
        {
            Line(shell, $"{(finding.IsBroken ? "BROKEN" : "fits  ")} {finding.Share,8:P1}  {finding.Limit}: {finding.Value:0.###} of {finding.Allowed:0}{(finding.IsBroken ? $"; {finding.Advice}" : "")}");
        }
    }

    /// <summary>The levels in words.</summary>
    private static string Levels(DeploymentPlan plan) => plan.Round.Folds == 0
        ? $"one level of {Number(plan.Round.Size.Shards)} shards"
        : $"two levels: {Number(plan.Round.Folds)} folds of {plan.Round.Reduction.ChunksPerTask} of {plan.Round.Chunks} chunks, then {Number(plan.Round.Size.Shards)} shards";

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Seconds(double value) => value.ToString(value < 10 ? "0.##" : "0", CultureInfo.InvariantCulture);

    private static void Line(Shell shell, FormattableString line) => shell.Output.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
