using FedServerless.Activities.State;
using FedServerless.Aggregation.Robust;

namespace FedServerless.Activities.Rounds;

/// <summary>The updates that go into the last pass, with the weights that a robust rule gave them.</summary>
internal static class Contributions
{
    /// <summary>True when the last pass is a weighted sum.</summary>
    public static bool IsSum(DecisionDocument decision) => decision.Kind == nameof(ColumnPassKind.WeightedSum);

    /// <summary>In client-id order; those left out are not there.</summary>
    public static IReadOnlyList<AcceptedUpdate> Of(RoundPlan plan, AcceptedDocument accepted, DecisionDocument decision) =>
        Weighted(plan, accepted, decision, decision.Weights);

    /// <summary>The same updates with the weights of their buffers, where those are others; null where they are not.</summary>
    public static IReadOnlyList<AcceptedUpdate>? OfBuffers(RoundPlan plan, AcceptedDocument accepted, DecisionDocument decision) =>
        decision.BufferWeights is null ? null : Weighted(plan, accepted, decision, decision.BufferWeights);

    private static AcceptedUpdate[] Weighted(RoundPlan plan, AcceptedDocument accepted, DecisionDocument decision, IReadOnlyList<double> weights) =>
        [.. RobustRound.Judged(plan, accepted).Select((update, i) => update with { Weight = weights[i] }).Where((_, i) => decision.Weights[i] > 0)];

    /// <summary>The pass.</summary>
    public static ColumnPass Pass(DecisionDocument decision, int clients) => new()
    {
        Kind = Enum.Parse<ColumnPassKind>(decision.Kind),
        Trim = decision.Trim,
        Keep = decision.Keep,
        Mixing = decision.Mixing is null ? null : Mixing(decision.Mixing, clients),
    };

    private static RowMixing Mixing(IReadOnlyList<IReadOnlyList<int>> members, int clients)
    {
        var weights = new double[members.Count * clients];
        for (var row = 0; row < members.Count; row++)
        {
            foreach (var client in members[row])
            {
                weights[(row * clients) + client] = 1.0 / members[row].Count;
            }
        }

        return new RowMixing(members.Count, clients, weights);
    }
}
