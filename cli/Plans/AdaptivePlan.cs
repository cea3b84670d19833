using System.Globalization;
using FedServerless.Capacity;
using FedServerless.Cli.Output;
using FedServerless.Cli.Runs;
using FedServerless.Cli.Server;

namespace FedServerless.Cli.Plans;

/// <summary>
/// What a plan becomes when its run adapts. Codecs change what the service does; of what is chosen for single clients only rests do, by how
/// often they take part; epochs and batches are the devices' own.
/// </summary>
internal static class AdaptivePlan
{
    /// <summary>Writes the range of the codecs, or as JSON a line for each codec, and how often a client may take part.</summary>
    /// <param name="answer">Where to.</param>
    /// <param name="question">What was asked, of one codec.</param>
    /// <param name="codecs">Codecs that a round may use; empty for the question's.</param>
    /// <param name="bytesPerDay">Most bytes that a client moves in a day; null for no bound.</param>
    public static int Write(Answer answer, DeploymentQuestion question, IReadOnlyList<string> codecs, long? bytesPerDay)
    {
        if (bytesPerDay <= 0)
        {
            throw new CommandException($"--adapt-bytes-per-day is {bytesPerDay}; expected 1 or more.", ExitCodes.Usage);
        }

        var plans = codecs.Select(codec => (Codec: codec, Plan: DeploymentPlanner.Plan(question with { Codec = codec }))).ToList();
        if (answer.IsJson)
        {
            plans.ForEach(entry => answer.WriteJson(entry.Plan, PlanJson.Default.DeploymentPlan));
            return ExitCodes.Success;
        }

        if (plans.Count > 0)
        {
            var (least, most) = (plans.MinBy(entry => entry.Plan.Round.Size.UpdateBytes), plans.MaxBy(entry => entry.Plan.Round.Size.UpdateBytes));
            Say(answer, $"The codec of a round follows its clients' uplinks: an update takes {Columns.Bytes(least.Plan.Round.Size.UpdateBytes)} ({least.Codec}) to {Columns.Bytes(most.Plan.Round.Size.UpdateBytes)} ({most.Codec}), from seal to version {Range(plans, plan => plan.AggregationSeconds)} s, a round {Range(plans, plan => plan.Cost)} {question.Prices.Currency}. Epochs and batches are the devices' own time and cost nothing here.");
            foreach (var (codec, plan) in plans.Where(entry => !entry.Plan.Fits))
            {
                Say(answer, $"BROKEN as {codec}: {plan.Binding.Limit}: {plan.Binding.Value:0.###} of {plan.Binding.Allowed:0}; {plan.Binding.Advice}");
            }
        }

        if (bytesPerDay is { } bytes)
        {
            var all = plans.Count > 0 ? plans : [(question.Codec, DeploymentPlanner.Plan(question))];
            Say(answer, $"A client moves {Columns.Bytes(bytes)} in a day at most, its rounds spread over it: {Range(all, plan => bytes / (double)Moved(plan))} rounds a day.");
            foreach (var (codec, plan) in all.Where(entry => Moved(entry.Plan) > bytes))
            {
                Say(answer, $"BROKEN as {codec}: a round moves {Columns.Bytes(Moved(plan))}, more than a client may in a day: nobody could take part.");
            }
        }

        return ExitCodes.Success;
    }

    /// <summary>What a client moves in a round: the model down, the update up.</summary>
    private static long Moved(DeploymentPlan plan) => (plan.Round.DownBytes ?? plan.Round.ModelBytes) + plan.Round.Size.UpdateBytes;

    private static string Range(IReadOnlyList<(string Codec, DeploymentPlan Plan)> plans, Func<DeploymentPlan, double> value)
    {
        var (least, most) = (CostText.Amount(plans.Min(entry => value(entry.Plan))), CostText.Amount(plans.Max(entry => value(entry.Plan))));
        return least == most ? least : $"{least} to {most}";
    }

    private static void Say(Answer answer, FormattableString line) => answer.Shell.Output.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
