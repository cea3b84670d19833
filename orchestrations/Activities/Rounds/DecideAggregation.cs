using System.Globalization;
using System.Runtime.InteropServices;
using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Aggregation.Robust;
using FedServerless.Numerics;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Activities.Rounds;

/// <summary>
/// Step 8 under a robust rule: adds the matrices of inner products in the order of the coordinates and lets the rule decide, once.
/// Too few updates for the rule is an outcome with a reason, never a number.
/// </summary>
internal sealed class DecideAggregation(IObjectStore store, RoundReader rounds, RunLog log) : IActivity<RoundInput, RoundDecided>
{
    private const string BucketPurpose = "buckets";

    public async Task<RoundDecided> RunAsync(RoundInput input, CancellationToken cancellationToken)
    {
        var plan = (await rounds.PlanAsync(input.Run, input.Round, cancellationToken)).Value;
        var accepted = await rounds.AcceptedAsync(plan, cancellationToken);
        var name = StoreNames.Decision(input.Run, input.Round);
        var stored = await store.FindAsync(name, StoreJson.Default.DecisionDocument, cancellationToken)
            ?? await store.CreateOnceAsync(name, await DecideAsync(plan, accepted, cancellationToken), StoreJson.Default.DecisionDocument, cancellationToken);
        var decision = stored.Value;
        await LogAsync(plan, accepted.Value, decision, cancellationToken);
        return decision.Refusal is not null
            ? new RoundDecided(decision.Refusal, 0)
            : new RoundDecided(null, Contributions.IsSum(decision) ? RoundTasks.Folds(plan, Contributions.Of(plan, accepted.Value, decision).Count) : 0);
    }

    private async Task<DecisionDocument> DecideAsync(RoundPlan plan, Stored<AcceptedDocument> accepted, CancellationToken cancellationToken)
    {
        var rule = plan.Aggregation.ToRule()!;
        var judged = RobustRound.Judged(plan, accepted.Value);
        var refusal = Refusal(plan, accepted.Value);
        if (refusal is not null)
        {
            return Refused(refusal, 0);
        }

        var gram = rule.NeedsGram ? await ReadGramAsync(plan, accepted, judged.Length + rule.ExtraRows.Count, cancellationToken) : null;
        var pass = rule.Decide(
            gram, [.. judged.Select(update => update.Weight)], [.. judged.Select(update => update.Norm)], DeterministicRandom.Derive(plan.Seed, BucketPurpose));
        if (pass.Refusal is not null)
        {
            return Refused(pass.Refusal, pass.Steps);
        }

        var previous = rule.ExtraRows is [RowRole.Previous, ..] && pass.Weights.Count > judged.Length ? pass.Weights[judged.Length] : 0;
        return new DecisionDocument(
            null, pass.Kind.ToString(), [.. pass.Weights.Take(judged.Length)], previous, pass.Trim, pass.Keep, Members(pass.Mixing),
            [.. pass.Scores.Select(score => double.IsFinite(score) ? score : -1)], pass.Steps,
            pass.Cosines.Count > 0 ? pass.Cosines : null, pass.BufferWeights);
    }

    private static DecisionDocument Refused(string reason, int steps) => new(reason, "", [], 0, 0, 0, null, [], steps);

    /// <summary>Why the rule will not decide about these updates, whatever is in them; null when it may.</summary>
    internal static string? Refusal(RoundPlan plan, AcceptedDocument accepted)
    {
        var (spec, root, judged) = (plan.Aggregation, plan.Aggregation.RootClient, RobustRound.Judged(plan, accepted).Length);
        if (spec.NeedsAllTogether() && judged > RunLimits.MaxComparedClients)
        {
            return $"refused: '{spec.Rule}' compares at most {RunLimits.MaxComparedClients} updates; there are {judged}";
        }

        if (root is not null && accepted.Accepted.All(update => update.Client != root))
        {
            var reason = accepted.Refused.FirstOrDefault(refused => refused.Client == root)?.Reason ?? "it sent none in time";
            return $"refused: the trusted client '{root}' has no sound update: {reason}";
        }

        return spec.ToRule()?.Refuse(judged);
    }

    private async Task<GramMatrix> ReadGramAsync(RoundPlan plan, Stored<AcceptedDocument> accepted, int size, CancellationToken cancellationToken)
    {
        var partials = new PartialSums(store, plan);
        var total = new double[size * size];
        var superBlocks = (int)((plan.Parameters + RoundGeometry.SuperBlock - 1) / RoundGeometry.SuperBlock);
        for (var superBlock = 0; superBlock < superBlocks; superBlock++)
        {
            var found = await partials.TryReadAsync(
                MeasureShard.GramPartial(superBlock, size, accepted.Digest),
                (bytes, _) =>
                {
                    var part = MemoryMarshal.Cast<byte, double>(bytes);
                    for (var i = 0; i < total.Length; i++)
                    {
                        total[i] += part[i];
                    }
                },
                cancellationToken);
            if (!found)
            {
                throw new InvalidDataException($"The inner products of super-block {superBlock} were taken and are gone.");
            }
        }

        return new GramMatrix(size, total);
    }

    /// <summary>Mixed rows are means of equal parts, so their members say everything.</summary>
    private static IReadOnlyList<IReadOnlyList<int>>? Members(RowMixing? mixing) => mixing is null ? null : [.. Enumerable.Range(0, mixing.Rows).Select(row =>
    {
        var weights = mixing.Row(row);
        var members = new List<int>();
        for (var client = 0; client < weights.Length; client++)
        {
            if (weights[client] > 0)
            {
                members.Add(client);
            }
        }

        return (IReadOnlyList<int>)members;
    })];

    private async Task LogAsync(RoundPlan plan, AcceptedDocument accepted, DecisionDocument decision, CancellationToken cancellationToken)
    {
        if (decision.Refusal is not null)
        {
            return;
        }

        var judged = RobustRound.Judged(plan, accepted);
        var left = judged.Index().Where(update => decision.Weights[update.Index] == 0).Take(AcceptUpdates.MaxLoggedRefusals)
            .OrderBy(update => StoreNames.LogEntry(plan.Run, plan.Round, (int)LogKind.UpdateLeftOut, update.Item.Client), StringComparer.Ordinal);
        foreach (var (index, update) in left)
        {
            var words = Words(decision, judged.Length, index);
            await log.WriteAsync(
                plan.Run, plan.Round, LogKind.UpdateLeftOut, $"The update of {update.Client} is not in the model: '{plan.Aggregation.Rule}' left it out{words}.",
                update.Client, null, cancellationToken);
        }
    }

    private static string Words(DecisionDocument decision, int judged, int client)
    {
        var score = decision.Scores.Count == judged ? decision.Scores[client] : -1;
        string?[] numbers =
        [
            score == -1 ? null : string.Create(CultureInfo.InvariantCulture, $"score {score:G4}"),
            decision.Cosines is { } cosines ? string.Create(CultureInfo.InvariantCulture, $"cosine to the aggregate {cosines[client]:F3}") : null,
        ];
        var said = string.Join(", ", numbers.Where(number => number is not null));
        return said.Length == 0 ? "" : $" ({said})";
    }
}
