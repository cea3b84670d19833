using FedServerless.Numerics;
using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Activities.Rounds;

/// <summary>Who takes part in a round. Chance is the run's seed; the result is persisted in the plan, so it is drawn once.</summary>
internal static class ClientSelection
{
    private const string Purpose = "selection";

    /// <summary>Uniformly <paramref name="count"/> of the sorted clients, all where there are fewer; sorted.</summary>
    public static string[] Uniform(IReadOnlyList<string> clients, int count, long seed, int round)
    {
        var shuffled = clients.ToArray();
        DeterministicRandom.Derive(seed, Purpose, round).Shuffle(shuffled.AsSpan());
        return Sorted(shuffled.Take(count));
    }

    /// <summary>Each of the sorted clients with probability <paramref name="rate"/>, independently; possibly nobody (PITFALLS 1).</summary>
    public static string[] Poisson(IReadOnlyList<string> clients, double rate, long seed, int round)
    {
        var random = DeterministicRandom.Derive(seed, Purpose, round);
        return Sorted(clients.Where(_ => random.NextDouble() < rate));
    }

    /// <summary>The same with coins that no seed gives away: the operating system's. Drawn once, persisted in the plan.</summary>
    public static string[] SecretPoisson(IReadOnlyList<string> clients, double rate)
    {
        var isIn = new bool[clients.Count];
        PoissonCoins.Toss(rate, isIn);
        return Sorted(clients.Where((_, i) => isIn[i]));
    }

    /// <summary>How many a uniform selection invites: ⌈clients · (1 + over-selection)⌉.</summary>
    public static int Invited(SelectionSpec selection) =>
        (int)Math.Min(int.MaxValue, Math.Ceiling((selection.Clients ?? 1) * (1 + selection.OverSelection)));

    /// <summary>With one more client, unless it is there.</summary>
    public static string[] With(string[] clients, string client) => clients.Contains(client, StringComparer.Ordinal) ? clients : Sorted(clients.Append(client));

    private static string[] Sorted(IEnumerable<string> clients)
    {
        var sorted = clients.ToArray();
        Array.Sort(sorted, StringComparer.Ordinal);
        return sorted;
    }
}
