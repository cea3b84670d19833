using FedServerless.Compression;
using FedServerless.Optimization;

namespace FedServerless.Wire;

/// <summary>What an <see cref="AdaptationSpec"/> must be, and what forbids it, each with the reason.</summary>
internal static class AdaptationSpecRules
{
    /// <param name="spec">The whole spec.</param>
    /// <param name="findings">Gets what is wrong.</param>
    /// <param name="withCodec">Everything wrong with the spec's updates and rule if it had another codec.</param>
    public static void Validate(RunSpec spec, Findings findings, Func<string, IReadOnlyList<Problem>> withCodec)
    {
        if (spec.Adaptation is not { } policy)
        {
            return;
        }

        Bounds("Epochs", policy.MinEpochs, policy.MaxEpochs, RunLimits.MaxEpochs);
        Bounds("BatchSize", policy.MinBatchSize, policy.MaxBatchSize, RunLimits.MaxBatchSize);
        if (policy.MinBatchSize is not null && spec.Training.BatchSize == 0)
        {
            findings.Add("adaptation.minBatchSize", policy.MinBatchSize, "nothing with training.batchSize 0: all samples are one batch");
        }

        if (policy.TargetSeconds is { } target && !(target > 0 && target <= spec.Round.DeadlineSeconds))
        {
            findings.Add("adaptation.targetSeconds", target, $"a number above 0, at most round.deadlineSeconds ({spec.Round.DeadlineSeconds})");
        }

        findings.OptionalRange("adaptation.minIntervalSeconds", policy.MinIntervalSeconds, 0, RunLimits.MaxRestSeconds, required: false);
        findings.OptionalRange("adaptation.maxBytesPerDay", policy.MaxBytesPerDay, 1, RunLimits.MaxBytesPerDay, required: false);
        ValidateCodecs(spec, policy, findings, withCodec);
        Forbid(spec, policy, findings);

        void Bounds(string name, int? least, int? most, int limit)
        {
            if (least is null && most is null)
            {
                return;
            }

            findings.OptionalRange($"adaptation.min{name}", least, 1, limit, required: true);
            findings.OptionalRange($"adaptation.max{name}", most, 1, limit, required: true);
            if (least > most)
            {
                findings.Add($"adaptation.min{name}", least, $"at most adaptation.max{name} ({most})");
            }
        }
    }

    private static void ValidateCodecs(RunSpec spec, AdaptationSpec policy, Findings findings, Func<string, IReadOnlyList<Problem>> withCodec)
    {
        if (policy.Codecs.Count == 0)
        {
            return;
        }

        if (policy.Codecs.Count > RunLimits.MaxCodecs)
        {
            findings.Add("adaptation.codecs", $"{policy.Codecs.Count} codecs", $"at most {RunLimits.MaxCodecs}");
            return;
        }

        if (!policy.Codecs.Contains(spec.Update.Codec))
        {
            findings.Add("adaptation.codecs", string.Join(", ", policy.Codecs), $"update.codec ('{spec.Update.Codec}') among them: rounds whose clients have measured nothing use it");
        }

        var seen = new HashSet<string?>(StringComparer.Ordinal);
        for (var i = 0; i < policy.Codecs.Count; i++)
        {
            var (codec, field) = (policy.Codecs[i], $"adaptation.codecs[{i}]");
            findings.OneOf(field, codec, UpdateCodecs.All.Names);
            if (!seen.Add(codec))
            {
                findings.Add(field, codec, "each codec once");
            }
            else if (codec is not null && codec != spec.Update.Codec && UpdateCodecs.All.Names.Contains(codec) && withCodec(codec) is [var first, ..])
            {
                findings.Add(field, codec, $"a codec that goes with the rest; {first}");
            }
        }
    }

    private static void Forbid(RunSpec spec, AdaptationSpec policy, Findings findings)
    {
        if (spec.Privacy is not null)
        {
            findings.Add(
                "adaptation", "present",
                "nothing with privacy: how long a client trains, and how often it takes part, would follow from how many samples it has and from what it did before, which no noise covers. "
                + "update.minPartBytes, which follows from the link alone, is allowed");
        }

        if (spec.Training.Solver is LocalSolvers.Scaffold or LocalSolvers.FedDyn && (policy.MinEpochs ?? policy.MinBatchSize) is not null)
        {
            findings.Add(
                policy.MinEpochs is null ? "adaptation.minBatchSize" : "adaptation.minEpochs", policy.MinEpochs ?? policy.MinBatchSize,
                $"nothing with training.solver '{spec.Training.Solver}': its theorems are about clients that take the same steps; '{LocalSolvers.FedNova}' reckons with different ones");
        }
    }
}
