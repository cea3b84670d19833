using FedServerless.Cli.Output;

namespace FedServerless.Cli.Privacy.Planning;

/// <summary>
/// The trade-off as a picture, ε on a logarithmic axis: accuracy against ε where it was measured, with the level that no noise reaches as a dashed line; else ε
/// against noise, model holders solid, cohort observers dashed.
/// </summary>
internal static class PrivacyPlanFigure
{
    public static string Draw(PrivacyPlanOptions options, IReadOnlyList<PrivacyPlanRow> rows)
    {
        var groups = rows.GroupBy(row => (row.Clients, row.Rounds)).ToArray();
        var noisy = rows.Where(row => row.NoiseMultiplier is not null).ToArray();
        var chart = options.Measure ? Measured(options, rows, groups, noisy) : Priced(groups, noisy);
        chart.Legend([.. groups.Select(group => $"{group.Key.Clients} clients, {group.Key.Rounds} rounds")]);
        return chart.Close();
    }

    private static Chart Measured(
        PrivacyPlanOptions options, IReadOnlyList<PrivacyPlanRow> rows, IGrouping<(long Clients, int Rounds), PrivacyPlanRow>[] groups, PrivacyPlanRow[] noisy)
    {
        var chart = new Chart(
            $"Accuracy on held-out digits against epsilon, means of {options.Seeds} {(options.Seeds == 1 ? "seed" : "seeds")}",
            new ChartScale("epsilon against holders of released models", noisy.Select(row => row.ModelHolder!.Value), IsLogarithmic: true),
            new ChartScale("accuracy", rows.Select(row => row.Accuracy!.Value).Append(1)));
        foreach (var (index, group) in groups.Index())
        {
            chart.Curve(group.Where(row => row.NoiseMultiplier is not null).Select(row => (row.ModelHolder!.Value, row.Accuracy!.Value)), Chart.Colour(index), isDashed: false);
            foreach (var plain in group.Where(row => row.NoiseMultiplier is null))
            {
                chart.Curve([(chart.X.Least, plain.Accuracy!.Value), (chart.X.Most, plain.Accuracy!.Value)], Chart.Colour(index), isDashed: true);
            }
        }

        return chart;
    }

    private static Chart Priced(IGrouping<(long Clients, int Rounds), PrivacyPlanRow>[] groups, PrivacyPlanRow[] noisy)
    {
        var chart = new Chart(
            "Epsilon against noise: model holders solid, cohort observers dashed",
            new ChartScale("noise multiplier z", noisy.Select(row => row.NoiseMultiplier!.Value), IsLogarithmic: true),
            new ChartScale("epsilon", noisy.SelectMany(row => new[] { row.ModelHolder!.Value, row.CohortObserver!.Value }), IsLogarithmic: true));
        foreach (var (index, group) in groups.Index())
        {
            chart.Curve(group.Select(row => (row.NoiseMultiplier!.Value, row.ModelHolder!.Value)), Chart.Colour(index), isDashed: false);
            chart.Curve(group.Select(row => (row.NoiseMultiplier!.Value, row.CohortObserver!.Value)), Chart.Colour(index), isDashed: true);
        }

        return chart;
    }
}
