using System.Text.Json;
using FedServerless.Aggregation.Robust;
using FedServerless.Cli.Laboratory;
using FedServerless.Cli.Tests.Fakes;
using FedServerless.Testing;

namespace FedServerless.Cli.Tests.Laboratory;

/// <summary>The attack laboratory: what rules do for accuracy, and what its command makes of its options.</summary>
public sealed class AttackLaboratoryTests
{
    [Fact] // PITFALLS 42: flipped at the same length, three of ten only slow the mean; five times as long, they turn it round.
    public async Task Attack_ThreeOfTenFlipSigns_RuinsTheMeanAndNotTheRobustRules()
    {
        var cells = await RunAsync("--seeds", "5", "--attacks", "sign-flip", "--rules", "weighted-mean,median,trimmed-mean,multi-krum");

        // Means of five seeds; plain averaging is at the level of guessing.
        Assert.InRange(Accuracy(cells, AggregationRules.WeightedMean), 0, 0.20);
        Assert.InRange(Accuracy(cells, AggregationRules.Median), 0.895, 1);
        Assert.InRange(Accuracy(cells, AggregationRules.TrimmedMean), 0.895, 1);
        Assert.InRange(Accuracy(cells, AggregationRules.MultiKrum), 0.91, 1);
    }

    [Fact] // PITFALLS 36: robust rules assume that honest updates look alike. Where they do not, the rules lose accuracy with nobody lying.
    public async Task Attack_NobodyLiesAndDataDiffer_CostsRobustRulesWhatNeighboursPartlyGiveBack()
    {
        string[] scene = ["--seeds", "3", "--partitions", "dirichlet:0.1", "--attacks", "none"];
        var plain = await RunAsync([.. scene, "--rules", "weighted-mean,median,krum"]);
        var mixed = await RunAsync([.. scene, "--rules", "krum", "--mixing", "neighbours"]);

        Assert.InRange(Accuracy(plain, AggregationRules.WeightedMean), 0.88, 1);
        Assert.InRange(Accuracy(plain, AggregationRules.Median), 0, 0.7);
        Assert.InRange(Accuracy(plain, AggregationRules.Krum), 0, 0.5);
        Assert.InRange(Accuracy(mixed, AggregationRules.Krum), 0.55, 1);
    }

    [Fact]
    public async Task Attack_Backdoor_TakesTheMeanAndNotTheMedian()
    {
        var cells = await RunAsync("--attacks", "backdoor", "--rules", "weighted-mean,median");

        Assert.InRange(cells.Single(cell => cell.Rule == AggregationRules.WeightedMean).Backdoor!.Value, 0.8, 1);
        Assert.InRange(cells.Single(cell => cell.Rule == AggregationRules.Median).Backdoor!.Value, 0, 0.1);
    }

    [Fact]
    public async Task Attack_InnerProduct_TurnsTheMeanRoundAndNotTheMedian()
    {
        var cells = await RunAsync("--attacks", "ipm", "--rules", "weighted-mean,median", "--rounds", "10");

        Assert.InRange(Accuracy(cells, AggregationRules.WeightedMean), 0, 0.2);
        Assert.InRange(Accuracy(cells, AggregationRules.Median), 0.85, 1);
    }

    [Fact]
    public async Task Attack_EveryAttackForOneRound_WritesTableCsvAndFigure()
    {
        using var shell = Shell();

        var code = await FedTool.RunAsync(["attack", "--rounds", "1", "--clients", "11", "--liars", "2", "--csv", "a.csv", "--figure", "a.svg"], shell.Shell);

        Assert.Equal(0, code);
        var rows = await File.ReadAllLinesAsync(Path.Combine(shell.Folder, "a.csv"), TestContext.Current.CancellationToken);
        Assert.Equal(1 + (AggregationRules.Names.Count * Attacks.All.Count), rows.Length);
        Assert.DoesNotContain(rows, row => row.Contains("NaN", StringComparison.Ordinal));
        Assert.Equal(AggregationRules.Names.Count * Attacks.All.Count, (await File.ReadAllTextAsync(Path.Combine(shell.Folder, "a.svg"), TestContext.Current.CancellationToken)).Split("<rect").Length - 1);
        Assert.Contains("alie on median, trimmed-mean, krum", shell.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Attack_TooFewClientsForBulyan_SaysRefusedAndWhy()
    {
        using var shell = Shell();

        await FedTool.RunAsync(["attack", "--rounds", "1", "--rules", "bulyan", "--attacks", "none"], shell.Shell);

        Assert.Contains("bulyan: refused: n < 4f+3 (n = 10, f = 3", shell.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--liars is 5 of 10 clients; expected fewer than half", "--liars", "5")]
    [InlineData("--rules has 'mean'; expected weighted-mean,", "--rules", "mean")]
    [InlineData("--attacks has 'flip'; expected none,", "--attacks", "flip")]
    [InlineData("--partitions has 'skewed'; expected iid or dirichlet:ALPHA", "--partitions", "skewed")]
    [InlineData("--mixing is 'shake'; expected none, buckets or neighbours", "--mixing", "shake")]
    public async Task Attack_WrongOption_IsRefusedWithWhatIsRight(string message, params string[] options)
    {
        using var shell = Shell();

        Assert.Equal(2, await FedTool.RunAsync(["attack", .. options], shell.Shell));
        Assert.Contains(message, shell.Error, StringComparison.Ordinal);
    }

    private static async Task<List<AttackCell>> RunAsync(params string[] options)
    {
        using var shell = Shell();
        Assert.Equal(0, await FedTool.RunAsync(["attack", "--json", .. options], shell.Shell));
        return JsonSerializer.Deserialize(shell.Output.TrimEnd().Split('\n')[^1], AttackJson.Default.ListAttackCell)!;
    }

    private static double Accuracy(List<AttackCell> cells, string rule) => cells.Single(cell => cell.Rule == rule).Accuracy!.Value;

    private static TestShell Shell() => new TestShell().Set("FED_ROOT", RepositoryRoot.Path);
}
