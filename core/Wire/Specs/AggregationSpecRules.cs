using FedServerless.Aggregation.Robust;
using FedServerless.Compression;
using FedServerless.Optimization;

namespace FedServerless.Wire;

/// <summary>What an <see cref="AggregationSpec"/> must be, alone and beside the rest of the spec.</summary>
internal static class AggregationSpecRules
{
    public static void Validate(RunSpec spec, Findings findings)
    {
        var aggregation = spec.Aggregation;
        findings.OneOf("aggregation.rule", aggregation.Rule, AggregationRules.Names);
        findings.OneOf("aggregation.weighting", aggregation.Weighting, Weightings.Names);
        findings.Range("aggregation.maxSamples", aggregation.MaxSamples, 1, RunLimits.MaxSamples);
        findings.OptionalRange("aggregation.minSamples", aggregation.MinSamples, 1, RunLimits.MaxSamples, required: false);
        findings.OptionalAbove("aggregation.maxNorm", aggregation.MaxNorm, 0, RunLimits.MaxNorm, required: false);
        findings.OptionalRange("aggregation.levels", aggregation.Levels, 1, RunLimits.MaxLevels, required: false);
        findings.OptionalAbove("aggregation.maxNormRatio", aggregation.MaxNormRatio, 1, RunLimits.MaxNormRatio, required: false);
        findings.OneOf("aggregation.mixing", aggregation.Mixing, AggregationRules.Mixings);
        if (aggregation.Rule is null || !AggregationRules.Names.Contains(aggregation.Rule) || !AggregationRules.Mixings.Contains(aggregation.Mixing))
        {
            return;
        }

        var problems = findings.Problems.Count;
        ValidateNumbers(aggregation, findings);
        ValidateMixing(aggregation, findings);
        if (findings.Problems.Count == problems)
        {
            ValidateCohort(spec, findings);
        }
    }

    private static void ValidateNumbers(AggregationSpec aggregation, Findings findings)
    {
        var rule = aggregation.Rule;
        var bears = rule is not (AggregationRules.WeightedMean or AggregationRules.NormBounding or AggregationRules.FlTrust);
        findings.Range("aggregation.byzantine", aggregation.Byzantine, 0, RunLimits.MaxComparedClients);
        findings.Belongs("aggregation.byzantine", aggregation.Byzantine is 0 ? null : aggregation.Byzantine, bears, "a rule that bears a number of liars");
        var isKrum = rule is AggregationRules.MultiKrum or AggregationRules.WeightedMultiKrum;
        Optional("trim", aggregation.Trim, rule == AggregationRules.TrimmedMean, AggregationRules.TrimmedMean, () => findings.Below("aggregation.trim", aggregation.Trim!.Value, 0, 0.5));
        Optional("keep", aggregation.Keep, isKrum, AggregationRules.MultiKrum, () => findings.Range("aggregation.keep", aggregation.Keep!.Value, 1, RunLimits.MaxComparedClients));
        var clips = rule == AggregationRules.CenteredClipping;
        Optional("clipSteps", aggregation.ClipSteps, clips, AggregationRules.CenteredClipping, () => findings.Range("aggregation.clipSteps", aggregation.ClipSteps!.Value, 1, 1000));
        Belongs("clipRadius", aggregation.ClipRadius, clips, AggregationRules.CenteredClipping);
        findings.OptionalAbove("aggregation.clipRadius", clips ? aggregation.ClipRadius : null, 0, RunLimits.MaxNorm, required: clips);
        var bounds = rule == AggregationRules.NormBounding;
        Belongs("normBound", aggregation.NormBound, bounds, AggregationRules.NormBounding);
        findings.OptionalAbove("aggregation.normBound", bounds ? aggregation.NormBound : null, 0, RunLimits.MaxNorm, required: bounds);
        var trusts = rule == AggregationRules.FlTrust;
        Belongs("rootClient", aggregation.RootClient, trusts, AggregationRules.FlTrust);
        if (trusts)
        {
            findings.Identifier("aggregation.rootClient", aggregation.RootClient);
        }

        void Belongs(string field, object? value, bool inPlace, string place) =>
            findings.Belongs($"aggregation.{field}", value, inPlace, $"aggregation.rule '{place}'");

        void Optional(string field, object? value, bool inPlace, string place, Action check)
        {
            Belongs(field, value, inPlace, place);
            if (value is not null && inPlace)
            {
                check();
            }
        }
    }

    private static void ValidateMixing(AggregationSpec aggregation, Findings findings)
    {
        var alone = aggregation.Rule is AggregationRules.WeightedMean or AggregationRules.NormBounding or AggregationRules.FlTrust;
        findings.Belongs(
            "aggregation.mixing", aggregation.Mixing == AggregationRules.NoMixing ? null : aggregation.Mixing, !alone, "rules that compare clients");
        var buckets = aggregation.Mixing == AggregationRules.Buckets;
        findings.Belongs("aggregation.bucketSize", aggregation.BucketSize, buckets, $"aggregation.mixing '{AggregationRules.Buckets}'");
        findings.OptionalRange("aggregation.bucketSize", buckets ? aggregation.BucketSize : null, 2, RunLimits.MaxBucketSize, required: false);
    }

    /// <summary>What a cohort whose size is known can bear.</summary>
    private static void ValidateCohort(RunSpec spec, Findings findings)
    {
        var aggregation = spec.Aggregation;
        if (aggregation.Rule == AggregationRules.CenteredClipping && spec.Optimizer.Name != ServerOptimizers.FedAvg)
        {
            findings.Add("optimizer.name", spec.Optimizer.Name, $"'{ServerOptimizers.FedAvg}' with aggregation.rule '{AggregationRules.CenteredClipping}': it starts from the last step of the model, which other optimizers change");
        }

        if (aggregation.Rule != AggregationRules.WeightedMean && aggregation.Levels == 2 && !aggregation.IsSum())
        {
            findings.Add("aggregation.levels", 2, $"1 or nothing with aggregation.rule '{aggregation.Rule}', which looks at all clients of a coordinate at once");
        }

        if (UpdateCodecs.All.TryGet(spec.Update.Codec ?? "", out var codec) && RuleCodecs.Refuse(aggregation.Rule, codec, aggregation.Mixing) is { } mismatch)
        {
            findings.Add("update.codec", codec.Name, $"another codec or rule: {mismatch}");
        }

        if (spec.Selection is not { Kind: Selections.Uniform, Clients: { } clients })
        {
            return;
        }

        var invited = clients - (aggregation.Rule == AggregationRules.FlTrust ? 1 : 0);
        if (aggregation.ToRule() is { } rule && rule.Refuse(invited) is { } refusal)
        {
            findings.Add("selection.clients", clients, $"enough for aggregation.rule '{aggregation.Rule}': {refusal}");
        }

        if (aggregation.NeedsAllTogether() && clients > RunLimits.MaxComparedClients)
        {
            findings.Add("selection.clients", clients, $"at most {RunLimits.MaxComparedClients} with aggregation.rule '{aggregation.Rule}', which compares clients");
        }
    }
}
