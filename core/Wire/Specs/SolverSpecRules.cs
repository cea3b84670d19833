using FedServerless.Aggregation.Robust;
using FedServerless.Optimization;

namespace FedServerless.Wire;

/// <summary>What a local solver forbids in the rest of the spec, each with the reason.</summary>
internal static class SolverSpecRules
{
    public static void Validate(RunSpec spec, Findings findings)
    {
        var training = spec.Training;
        findings.OneOf("training.solver", training.Solver, LocalSolvers.Names);
        if (training.Solver is null or LocalSolvers.Sgd || !LocalSolvers.Names.Contains(training.Solver))
        {
            return;
        }

        const string Linear = "it adds up updates, and a rule that chooses among them breaks its sums";
        Unless(spec.Aggregation.Rule == AggregationRules.WeightedMean, "aggregation.rule", spec.Aggregation.Rule, $"'{AggregationRules.WeightedMean}'", Linear);
        Unless(spec.Privacy is null, "privacy", "present", "nothing", "what it takes from single updates is not covered by the noise");
        if (training.Solver == LocalSolvers.FedNova)
        {
            Unless(
                training.Momentum == 0 || training.ProximalMu == 0, "training.proximalMu", training.ProximalMu, "0 beside a momentum",
                "how much each step counts is known for either, not for both");
            Unless(
                training.LearningRate * training.ProximalMu <= 1, "training.proximalMu", training.ProximalMu, "at most 1/learningRate",
                "beyond it the proximal term overshoots");
            return;
        }

        const string Steps = "its memory is worked out from plain steps";
        Unless(training.Momentum == 0, "training.momentum", training.Momentum, "0", Steps);
        Unless(spec.Aggregation.Weighting == Weightings.Uniform, "aggregation.weighting", spec.Aggregation.Weighting, $"'{Weightings.Uniform}'", "it is about the plain mean of clients");
        Unless(!spec.Update.ErrorFeedback, "update.errorFeedback", true, "false", "its memory would take up what earlier rounds left unsent");
        Unless(
            spec.Download.IsExact, "download.encodings", string.Join(", ", spec.Download.Encodings), "'float32' alone",
            "its memory is of steps from the exact weights");
        if (training.Solver == LocalSolvers.Scaffold)
        {
            Unless(training.ProximalMu == 0, "training.proximalMu", training.ProximalMu, "0", Steps);
            return;
        }

        Unless(training.ProximalMu > 0, "training.proximalMu", training.ProximalMu, "a number above 0", "it is FedDyn's α");
        Unless(
            spec.Optimizer is { Name: ServerOptimizers.FedAvg, LearningRate: 1 }, "optimizer.name", spec.Optimizer.Name,
            $"'{ServerOptimizers.FedAvg}' with learning rate 1", "it has a server's step of its own");

        void Unless(bool isLegal, string field, object? value, string expected, string reason)
        {
            if (!isLegal)
            {
                findings.Add(field, value, $"{expected} with training.solver '{training.Solver}': {reason}");
            }
        }
    }
}
