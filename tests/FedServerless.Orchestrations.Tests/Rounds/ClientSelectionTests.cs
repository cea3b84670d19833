using FedServerless.Activities.Rounds;
using FedServerless.Activities.State;
using FedServerless.Wire;

namespace FedServerless.Orchestrations.Tests.Rounds;

public sealed class ClientSelectionTests
{
    private static readonly string[] Clients = [.. Enumerable.Range(0, 1000).Select(index => $"client-{index:D4}")];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(999)]
    [InlineData(1000)]
    [InlineData(1001)]
    public void Uniform_AnyCount_GivesSoManyDistinctSortedClients(int count)
    {
        var selected = ClientSelection.Uniform(Clients, count, seed: 1, round: 1);

        Assert.Equal(Math.Min(count, Clients.Length), selected.Distinct().Count());
        Assert.Equal(selected.Order(StringComparer.Ordinal), selected);
    }

    [Fact]
    public void Uniform_SameSeedAndRound_GivesTheSameCohortAndAnotherRoundAnother()
    {
        Assert.Equal(ClientSelection.Uniform(Clients, 10, 5, 3), ClientSelection.Uniform(Clients, 10, 5, 3));
        Assert.NotEqual(ClientSelection.Uniform(Clients, 10, 5, 3), ClientSelection.Uniform(Clients, 10, 5, 4));
    }

    [Fact]
    public void Uniform_ManyRounds_TakesEachClientAboutEquallyOften()
    {
        var counts = Clients.ToDictionary(client => client, _ => 0);
        for (var round = 1; round <= 1000; round++)
        {
            foreach (var client in ClientSelection.Uniform(Clients, 100, 9, round))
            {
                counts[client]++;
            }
        }

        // Binomial(1000, 0.1): mean 100, σ 9.5; six σ over 1000 clients is exceeded once in a million seeds.
        Assert.All(counts.Values, count => Assert.InRange(count, 43, 157));
    }

    [Fact]
    public void Poisson_ManyRounds_HasBinomialSizes()
    {
        var sizes = Enumerable.Range(1, 1000).Select(round => ClientSelection.Poisson(Clients, 0.1, 9, round).Length).ToList();

        // Each size is Binomial(1000, 0.1): mean 100, variance 90; the mean of 1000 has σ 0.3, the sample variance σ ≈ 4.
        Assert.InRange(sizes.Average(), 98.5, 101.5);
        Assert.InRange(sizes.Select(size => Math.Pow(size - sizes.Average(), 2)).Average(), 70, 110);
    }

    [Fact]
    public void Poisson_SmallRate_MaySelectNobody() =>
        Assert.Contains(Enumerable.Range(1, 100), round => ClientSelection.Poisson(Clients[..3], 0.1, 2, round).Length == 0);

    [Theory]
    [InlineData(10, 0, 10)]
    [InlineData(10, 0.3, 13)]
    [InlineData(10, 0.31, 14)]
    public void Invited_OverSelection_RoundsUp(int clients, double over, int invited) =>
        Assert.Equal(invited, ClientSelection.Invited(new SelectionSpec { Kind = Selections.Uniform, Clients = clients, OverSelection = over }));

    [Theory]
    [InlineData(1023, 1)]
    [InlineData(1024, 1)]
    [InlineData(1025, 2)]
    public void Describe_CohortAroundTheShardSize_AddsAShard(int clients, int shards) =>
        Assert.Equal(shards, Cohort.Describe([.. Enumerable.Range(0, clients).Select(index => $"c{index:D5}")]).Shards);
}
