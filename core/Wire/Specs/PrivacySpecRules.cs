using FedServerless.Aggregation.Robust;
using FedServerless.Privacy;

namespace FedServerless.Wire;

/// <summary>What a <see cref="PrivacySpec"/> must be, and what it forbids in the rest of the spec, each with the reason.</summary>
internal static class PrivacySpecRules
{
    public static void Validate(RunSpec spec, Findings findings)
    {
        if (spec.Privacy is not { } privacy)
        {
            return;
        }

        var before = findings.Problems.Count;
        ValidateNumbers(privacy, findings);
        Forbid(spec, findings);
        if (findings.Problems.Count == before && spec.Rounds is >= 1 and <= RunLimits.MaxRounds)
        {
            ValidateTerms(spec, findings);
        }
    }

    private static void ValidateNumbers(PrivacySpec privacy, Findings findings)
    {
        findings.Range("privacy.clients", privacy.Clients, 1, RunLimits.MaxPrivateClients);
        if (privacy.Level is not null)
        {
            findings.OneOf("privacy.level", privacy.Level, PrivacyLevels.Names);
        }

        findings.OptionalAbove("privacy.epsilon", privacy.Epsilon, 0, RunLimits.MaxEpsilon, required: false);
        findings.OptionalRange(
            "privacy.noiseMultiplier", privacy.NoiseMultiplier, ReleaseEvent.LeastNoiseMultiplier, ReleaseEvent.LargestNoiseMultiplier, required: false);
        var ways = (privacy.Level is null ? 0 : 1) + (privacy.Epsilon is null ? 0 : 1) + (privacy.NoiseMultiplier is null ? 0 : 1);
        if (ways != 1)
        {
            findings.Add("privacy", ways == 0 ? "nothing of the three" : $"{ways} of the three", "exactly one of level, epsilon and noiseMultiplier");
        }

        findings.Belongs("privacy.delta", privacy.Delta, privacy.Level is null, "a free choice: a level has δ = 1/(10N)");
        if (privacy is { Delta: { } delta, Level: null })
        {
            if (!(delta is > 0 and < 1) || (privacy.Clients >= 1 && DeltaRule.Judge(delta, privacy.Clients) == DeltaVerdict.Meaningless))
            {
                findings.Add("privacy.delta", delta, $"a number above 0 and below 1/N = {1.0 / Math.Max(1, privacy.Clients)}: publishing one client at random keeps a δ of 1/N");
            }
        }

        findings.Range("privacy.clip", privacy.Clip, UpdateClip.LeastClip, UpdateClip.LargestClip);
        if (privacy.AdaptiveClip is { } adaptive)
        {
            findings.Above("privacy.adaptiveClip.quantile", adaptive.Quantile, 0, Math.BitDecrement(1.0));
            findings.Above("privacy.adaptiveClip.learningRate", adaptive.LearningRate, 0, AdaptiveClip.LargestStep);
            findings.OptionalAbove("privacy.adaptiveClip.bitNoise", adaptive.BitNoise, 0, ReleaseEvent.LargestNoiseMultiplier / 2, required: false);
        }
    }

    /// <summary>Everything outside the mechanism that would release more than the noise covers.</summary>
    private static void Forbid(RunSpec spec, Findings findings)
    {
        const string Waits = "a private round waits for its deadline and publishes whoever came: otherwise its end tells who did";
        const string Compares = "what depends on other clients' updates is not covered by the noise";
        Unless(spec.Selection.OverSelection == 0, "selection.overSelection", spec.Selection.OverSelection, "0", Waits);
        Unless(spec.Round.Quorum is null, "round.quorum", spec.Round.Quorum, "nothing", Waits);
        Unless(spec.Round.Minimum == 1, "round.minimum", spec.Round.Minimum, "1 or nothing", Waits);
        Unless(spec.Selection.MinReputation is null, "selection.minReputation", spec.Selection.MinReputation, "nothing", "a reputation is made of un-noised updates");
        Unless(spec.Selection.QuarantineAfter == 0, "selection.quarantineAfter", spec.Selection.QuarantineAfter, "0", "quarantine by verdicts is made of un-noised updates");
        Unless(spec.Aggregation.Rule is null or AggregationRules.WeightedMean, "aggregation.rule", spec.Aggregation.Rule, $"'{AggregationRules.WeightedMean}'", $"{Compares}, and its sensitivity is not that of a mean");
        Unless(spec.Aggregation.Mixing is null or AggregationRules.NoMixing, "aggregation.mixing", spec.Aggregation.Mixing, $"'{AggregationRules.NoMixing}'", Compares);
        Unless(spec.Aggregation.Weighting == Weightings.Uniform, "aggregation.weighting", spec.Aggregation.Weighting, $"'{Weightings.Uniform}'", "sample counts are private, chosen by the client, and scale the sensitivity");
        Unless(spec.Aggregation.MinSamples is null, "aggregation.minSamples", spec.Aggregation.MinSamples, "nothing", "receipts of private rounds name no samples");
        Unless(spec.Aggregation.MaxNorm is null, "aggregation.maxNorm", spec.Aggregation.MaxNorm, "nothing", "updates are clipped, never refused for their norm");
        Unless(spec.Aggregation.MaxNormRatio is null, "aggregation.maxNormRatio", spec.Aggregation.MaxNormRatio, "nothing", Compares);
        Unless(!spec.Training.Measure, "training.measure", true, "false", "no noise covers what clients measure");
        Unless(!spec.RetainUpdates, "retainUpdates", spec.RetainUpdates, "false", "raw updates are deleted when their round publishes");
        if (spec.Evaluation is { Clients.Count: 0 })
        {
            findings.Add("evaluation.clients", "every client", "designated evaluators, whose samples are no part of the training: evaluations are published without noise");
        }

        void Unless(bool isLegal, string field, object? value, string expected, string reason)
        {
            if (!isLegal)
            {
                findings.Add(field, value, $"{expected} with privacy: {reason}");
            }
        }
    }

    private static void ValidateTerms(RunSpec spec, Findings findings)
    {
        var privacy = spec.Privacy!;
        if (spec.Selection.Kind == Selections.Uniform && spec.Selection.Clients > privacy.Clients)
        {
            findings.Add("selection.clients", spec.Selection.Clients, $"at most privacy.clients ({privacy.Clients})");
            return;
        }

        if (spec.Selection is { Kind: Selections.Poisson, Rate: not (> 0 and <= 1) } or { Kind: Selections.Uniform, Clients: not >= 1 })
        {
            return;
        }

        try
        {
            var terms = PrivacyTerms.Of(spec);
            _ = terms.Release(UpdateGrid.BitsFor(1)).Against(PrivacyAdversary.ModelHolder);
            _ = terms.AdaptiveClip is { } adaptive ? new AdaptiveClip(terms.NoiseMultiplier, adaptive.BitNoise, adaptive.Quantile, adaptive.LearningRate) : null;
        }
        catch (ArgumentException exception)
        {
            findings.Add("privacy", spec.Privacy!.Level ?? "these numbers", $"noise that can be drawn and priced: {exception.Message}");
        }
    }
}
