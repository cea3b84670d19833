using System.Numerics;
using FedServerless.Capacity;
using FedServerless.Compression;
using FedServerless.Model;
using FedServerless.Optimization;
using FedServerless.Wire.Downloads;

namespace FedServerless.Wire;

/// <summary>Checks a whole <see cref="RunSpec"/> and lists everything that is wrong with it at once.</summary>
public static class RunSpecValidator
{
    /// <summary>Every problem; empty for a legal spec.</summary>
    /// <param name="spec">What an operator asks for.</param>
    /// <param name="field">Path of the spec in the document it came from, empty for the document itself; the problems start with it.</param>
    public static IReadOnlyList<Problem> Validate(RunSpec spec, string field = "")
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(field);
        var findings = new Findings(field);
        findings.Identifier("model", spec.Model);
        findings.Identifier("population", spec.Population);
        findings.Range("rounds", spec.Rounds, 1, RunLimits.MaxRounds);
        findings.OptionalAbove("costLimit", spec.CostLimit, 0, RunLimits.MaxCost, required: false);
        if (spec.Architecture is { } architecture)
        {
            findings.Add(Architectures.Validate(architecture, findings.Path("architecture")));
        }

        Validate(spec.Selection, findings);
        Validate(spec.Round, spec.Selection, findings);
        Validate(spec.Training, findings);
        AggregationSpecRules.Validate(spec, findings);
        Validate(spec.Optimizer, findings);
        Validate(spec.Update, findings);
        Validate(spec.Download, findings);
        if (spec.Evaluation is { } evaluation)
        {
            Validate(evaluation, findings);
        }

        SolverSpecRules.Validate(spec, findings);
        AdaptationSpecRules.Validate(spec, findings, codec => WithCodec(spec, codec));
        PrivacySpecRules.Validate(spec, findings);
        return findings.Problems;
    }

    /// <summary>What another codec would break in what has to do with codecs.</summary>
    private static IReadOnlyList<Problem> WithCodec(RunSpec spec, string codec)
    {
        var other = spec with { Update = spec.Update with { Codec = codec } };
        var (before, after) = (new Findings(""), new Findings(""));
        Check(spec, before);
        Check(other, after);
        return [.. after.Problems.Except(before.Problems)];

        static void Check(RunSpec spec, Findings findings)
        {
            AggregationSpecRules.Validate(spec, findings);
            Validate(spec.Update, findings);
        }
    }

    private static void Validate(SelectionSpec selection, Findings findings)
    {
        findings.OneOf("selection.kind", selection.Kind, Selections.Names);
        var uniform = selection.Kind == Selections.Uniform;
        var poisson = selection.Kind == Selections.Poisson;
        if (uniform || selection.Clients is not null)
        {
            findings.Belongs("selection.clients", selection.Clients, uniform, $"selection.kind '{Selections.Uniform}'");
            findings.OptionalRange("selection.clients", selection.Clients, 1, RunLimits.MaxClients, required: uniform);
        }

        if (poisson || selection.Rate is not null)
        {
            findings.Belongs("selection.rate", selection.Rate, poisson, $"selection.kind '{Selections.Poisson}'");
            findings.OptionalAbove("selection.rate", selection.Rate, 0, 1, required: poisson);
        }

        findings.Belongs("selection.minReputation", selection.MinReputation, !poisson, $"selection.kind '{Selections.All}' or '{Selections.Uniform}'");
        findings.OptionalAbove("selection.minReputation", poisson ? null : selection.MinReputation, 0, 1, required: false);
        findings.Range("selection.quarantineAfter", selection.QuarantineAfter, 0, RunLimits.MaxQuarantineAfter);
        findings.Range("selection.overSelection", selection.OverSelection, 0, RunLimits.MaxOverSelection);
        findings.Belongs(
            "selection.overSelection", selection.OverSelection is 0 ? null : selection.OverSelection, uniform, $"selection.kind '{Selections.Uniform}'");
    }

    private static void Validate(RoundSpec round, SelectionSpec selection, Findings findings)
    {
        findings.Range("round.deadlineSeconds", round.DeadlineSeconds, RunLimits.MinDeadlineSeconds, RunLimits.MaxDeadlineSeconds);
        findings.OptionalRange("round.quorum", round.Quorum, 1, RunLimits.MaxClients, required: false);
        findings.Range("round.minimum", round.Minimum, 1, RunLimits.MaxClients);

        // Only what is legal by itself is compared: one mistake, one problem.
        var cohort = selection is { Kind: Selections.Uniform, Clients: >= 1 } ? selection.Clients : null;
        var quorum = round.Quorum >= 1 ? round.Quorum : null;
        if (quorum > cohort)
        {
            findings.Add("round.quorum", quorum, $"at most selection.clients ({cohort})");
        }

        if (round.Minimum > quorum)
        {
            findings.Add("round.minimum", round.Minimum, $"at most round.quorum ({quorum}), or the round closes before it can publish");
        }
        else if (round.Minimum > cohort)
        {
            findings.Add("round.minimum", round.Minimum, $"at most selection.clients ({cohort})");
        }
    }

    private static void Validate(TrainingSpec training, Findings findings)
    {
        findings.Range("training.epochs", training.Epochs, 1, RunLimits.MaxEpochs);
        findings.Range("training.batchSize", training.BatchSize, 0, RunLimits.MaxBatchSize);
        findings.Above("training.learningRate", training.LearningRate, 0, RunLimits.MaxLearningRate);
        findings.Below("training.momentum", training.Momentum, 0, 1);
        findings.Range("training.weightDecay", training.WeightDecay, 0, RunLimits.MaxWeightDecay);
        findings.Range("training.proximalMu", training.ProximalMu, 0, RunLimits.MaxProximalMu);
    }

    private static void Validate(OptimizerSpec optimizer, Findings findings)
    {
        findings.OneOf("optimizer.name", optimizer.Name, ServerOptimizers.Names);
        findings.Above("optimizer.learningRate", optimizer.LearningRate, 0, RunLimits.MaxLearningRate);
        findings.Below("optimizer.beta1", optimizer.Beta1, 0, 1);
        findings.Below("optimizer.beta2", optimizer.Beta2, 0, 1);
        findings.Range("optimizer.tau", optimizer.Tau, RunLimits.MinTau, RunLimits.MaxTau);
    }

    private static void Validate(UpdateSpec update, Findings findings)
    {
        findings.OneOf("update.codec", update.Codec, UpdateCodecs.All.Names);
        findings.Belongs(
            "update.errorFeedback", update.ErrorFeedback ? true : null, update.Codec != UpdateCodecs.Float32, "lossy codecs: 'float32' leaves nothing out");
        findings.Belongs("update.keep", update.Keep, UpdateCodecs.Keeps(update.Codec), "codecs that leave parameters out, top-k… and random-k…");
        findings.Belongs("update.warmUpRounds", update.WarmUpRounds, UpdateCodecs.Keeps(update.Codec), "codecs that leave parameters out, top-k… and random-k…");
        if (UpdateCodecs.Keeps(update.Codec))
        {
            findings.OptionalRange("update.keep", update.Keep, RunLimits.MinKeep, RunLimits.MaxKeep, required: false);
            findings.OptionalRange("update.warmUpRounds", update.WarmUpRounds, 1, RunLimits.MaxWarmUpRounds, required: false);
        }

        findings.Belongs("update.rounding", update.Rounding, UpdateCodecs.Rounds(update.Codec), "codecs that leave the choice, those with int8 or int4");
        if (UpdateCodecs.Rounds(update.Codec) && update.Rounding is not null)
        {
            findings.OneOf("update.rounding", update.Rounding, UpdateRoundings.Names);
        }

        findings.Belongs("update.maskSeed", update.MaskSeed, inPlace: false, "the plan of a round, which derives it from the run's seed");
        findings.OptionalRange("update.modelCopies", update.ModelCopies, 1, ModelReplicas.Max, required: false);
        findings.Range("update.partBytes", update.PartBytes, RunLimits.MinPartBytes, RunLimits.MaxPartBytes);
        if (update.MinPartBytes is { } least && !(least >= RunLimits.MinPartBytes && least <= update.PartBytes))
        {
            findings.Add("update.minPartBytes", least, $"an integer from {RunLimits.MinPartBytes} to update.partBytes ({update.PartBytes})");
        }

        if (update.BlockCoordinates is < RunLimits.MinBlockCoordinates or > RunLimits.MaxBlockCoordinates || !BitOperations.IsPow2(update.BlockCoordinates))
        {
            findings.Add(
                "update.blockCoordinates",
                update.BlockCoordinates,
                $"a power of two from {RunLimits.MinBlockCoordinates} to {RunLimits.MaxBlockCoordinates}");
        }
    }

    private static void Validate(DownloadSpec download, Findings findings)
    {
        findings.OneOf("download.deltaCodec", download.DeltaCodec, [UpdateCodecs.Int8, UpdateCodecs.Float16]);
        findings.Range("download.deltaVersions", download.DeltaVersions, 1, RunLimits.MaxDeltaVersions);
        var encodings = download.Encodings;
        if (encodings.Count is 0 or > DeviceApi.MaxEncodings)
        {
            findings.Add("download.encodings", $"{encodings.Count} of them", $"1 to {DownloadEncodings.Names.Count} of {string.Join(", ", DownloadEncodings.Names)}");
            return;
        }

        for (var i = 0; i < encodings.Count; i++)
        {
            findings.OneOf($"download.encodings[{i}]", encodings[i], DownloadEncodings.Names);
            if (encodings.Take(i).Contains(encodings[i], StringComparer.Ordinal))
            {
                findings.Add($"download.encodings[{i}]", encodings[i], "each encoding once");
            }
        }

        if (encodings.Contains(DownloadEncodings.Delta) && !encodings.Contains(DownloadEncodings.Float32) && !encodings.Contains(DownloadEncodings.Float16))
        {
            findings.Add("download.encodings", string.Join(", ", encodings), "'float32' or 'float16' beside 'delta': a device that holds nothing needs a whole model, in one of these exactly");
        }
    }

    private static void Validate(EvaluationSpec evaluation, Findings findings)
    {
        findings.Range("evaluation.everyRounds", evaluation.EveryRounds, 1, RunLimits.MaxRounds);
        findings.Range("evaluation.deadlineSeconds", evaluation.DeadlineSeconds, RunLimits.MinDeadlineSeconds, RunLimits.MaxDeadlineSeconds);
        findings.OptionalRange("evaluation.patience", evaluation.Patience, 1, RunLimits.MaxPatience, required: false);
        findings.OptionalAbove("evaluation.targetAccuracy", evaluation.TargetAccuracy, 0, 1, required: false);
        if (evaluation.Clients.Count > RunLimits.MaxEvaluators)
        {
            findings.Add("evaluation.clients", $"{evaluation.Clients.Count} clients", $"at most {RunLimits.MaxEvaluators} clients");
            return;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < evaluation.Clients.Count; i++)
        {
            var client = evaluation.Clients[i];
            findings.Identifier($"evaluation.clients[{i}]", client);
            if (client is not null && !seen.Add(client))
            {
                findings.Add($"evaluation.clients[{i}]", client, "each client once");
            }
        }
    }
}
