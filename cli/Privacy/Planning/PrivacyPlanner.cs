using System.Globalization;
using System.Text;
using System.Text.Json;
using FedServerless.Cli.Demo;
using FedServerless.Cli.Output;
using FedServerless.Privacy;

namespace FedServerless.Cli.Privacy.Planning;

/// <summary>Prices settings, measures them if asked, and writes them as a table, as CSV, as a figure, as JSON.</summary>
/// <param name="shell">Where to.</param>
/// <param name="options">What.</param>
/// <param name="steps">Coins and noise of the federation with a seed; null for the operating system's.</param>
internal sealed class PrivacyPlanner(Shell shell, PrivacyPlanOptions options, Func<long, RoundSteps>? steps = null)
{
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        if (options.Problems() is { Count: > 0 } problems)
        {
            throw new CommandException($"That cannot be planned: {string.Join(' ', problems)}", ExitCodes.Usage);
        }

        var rows = await Task.Run(() => Compute(cancellationToken), cancellationToken);
        Write(rows);
        await WriteFilesAsync(rows, cancellationToken);
        return ExitCodes.Success;
    }

    /// <summary>The rows; the one without noise first where it measures.</summary>
    public List<PrivacyPlanRow> Compute(CancellationToken cancellationToken)
    {
        List<PrivacyPlanRow> rows;
        try
        {
            rows = [.. PrivacyPricing.Rows(options)];
        }
        catch (ArgumentException exception)
        {
            throw new CommandException($"That cannot be planned: {exception.Message}", ExitCodes.Usage);
        }

        return options.Measure ? Measure(rows, cancellationToken) : rows;
    }

    private List<PrivacyPlanRow> Measure(List<PrivacyPlanRow> priced, CancellationToken cancellationToken)
    {
        var digits = Digits.Read(shell.GetRepository());
        var rows = priced.GroupBy(row => (row.Clients, row.Rounds)).SelectMany(group => group.Prepend(group.First() with
        {
            Level = null, NoiseMultiplier = null, ModelHolder = null, CohortObserver = null, Charged = null,
        })).ToArray();
        var accuracies = new double[rows.Length * options.Seeds];
        Parallel.For(0, accuracies.Length, new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = Environment.ProcessorCount }, i =>
        {
            var (row, seed) = (rows[i / options.Seeds], i % options.Seeds);
            accuracies[i] = new PrivateFederation(options, row, digits, steps?.Invoke(seed) ?? new RoundSteps(), seed).Run(cancellationToken);
        });
        return [.. rows.Select((row, index) => WithAccuracy(row, accuracies.AsSpan(index * options.Seeds, options.Seeds).ToArray()))];
    }

    private static PrivacyPlanRow WithAccuracy(PrivacyPlanRow row, double[] accuracies)
    {
        var mean = accuracies.Average();
        var error = Math.Sqrt(accuracies.Sum(value => (value - mean) * (value - mean)) / (accuracies.Length - 1.0) / accuracies.Length);
        return row with { Accuracy = mean, Lowest = accuracies.Min(), StandardError = accuracies.Length == 1 ? null : error };
    }

    private void Write(List<PrivacyPlanRow> rows)
    {
        shell.Output.WriteLine("Unit: a client. Adjacency: add or remove one. Sampling: Poisson. The epsilon of all rounds together, upper ends.");
        shell.Output.WriteLine("\"models\": against holders of released models. \"cohort\": against who sees cohort, receipts or check-in replies.");
        foreach (var group in rows.GroupBy(row => (row.Clients, row.SamplingRate, row.Rounds, row.Delta)))
        {
            var (clients, rate, rounds, delta) = group.Key;
            shell.Output.WriteLine();
            Line($"{clients} clients, q = {rate:0.######}, {rounds} {(rounds == 1 ? "round" : "rounds")}, delta = {delta:0.###e0}");
            if (DeltaRule.Judge(delta, clients) == DeltaVerdict.Large)
            {
                shell.Output.WriteLine($"Warning: a delta above 1/(10N) = {Exact(0.1 / clients)} is large: it is the chance that the promise fails, for every client.");
            }

            if (rate * clients < 1)
            {
                shell.Output.WriteLine("Warning: a round has less than one client in expectation.");
            }

            var table = new Columns([("level", 8), ("noise z", 9), ("models", 8), ("cohort", 8), ("charged", 8), .. (IEnumerable<(string, int)>)(options.Measure ? [("accuracy", 9), ("lowest", 7)] : [])]);
            shell.Output.WriteLine(table.Header);
            foreach (var row in group)
            {
                IReadOnlyList<string> price = [row.Level ?? "", row.NoiseMultiplier is { } z ? Columns.Number(z, 4) : "none", Columns.Number(row.ModelHolder, 3), Columns.Number(row.CohortObserver, 3), Columns.Number(row.Charged, 3)];
                shell.Output.WriteLine(table.Row(options.Measure ? [.. price, Columns.Number(row.Accuracy, 3), Columns.Number(row.Lowest, 3)] : price));
            }
        }

        if (options.Measure)
        {
            var errors = rows.Where(row => row.StandardError is not null).ToArray();
            shell.Output.WriteLine();
            Line($"Softmax on the digits, {options.Partition}, {options.Seeds} {(options.Seeds == 1 ? "seed" : "seeds")}; {options.Training.Epochs} local epochs, full batches, rate {options.Training.LearningRate}; clip {options.Clip}{(options.Quantile is { } share ? $", adapting to quantile {share}" : "")}; server step 1.");
            if (errors.Length > 0)
            {
                Line($"Standard error of a mean: at most {errors.Max(row => row.StandardError!.Value):F3}.");
            }
        }
    }

    private void Line(FormattableString line) => shell.Output.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private async Task WriteFilesAsync(List<PrivacyPlanRow> rows, CancellationToken cancellationToken)
    {
        if (options.Figure is { } figure)
        {
            await WrittenFile.WriteAsync(shell, figure, PrivacyPlanFigure.Draw(options, rows), cancellationToken);
        }

        if (options.Csv is { } path)
        {
            var text = new StringBuilder("clients,samplingRate,rounds,delta,level,noiseMultiplier,modelHolder,cohortObserver,charged,accuracy,lowest,standardError\n");
            foreach (var row in rows)
            {
                text.Append(CultureInfo.InvariantCulture, $"{row.Clients},{row.SamplingRate:R},{row.Rounds},{row.Delta:R},{row.Level},{row.NoiseMultiplier:R},{row.ModelHolder:F6},{row.CohortObserver:F6},{row.Charged:F6},{row.Accuracy:F4},{row.Lowest:F4},{row.StandardError:F4}\n");
            }

            await WrittenFile.WriteAsync(shell, path, text.ToString(), cancellationToken);
        }

        if (options.Json)
        {
            shell.Output.WriteLine(JsonSerializer.Serialize(rows, PrivacyPlanJson.Default.ListPrivacyPlanRow));
        }
    }

    private static string Exact(double value) => value.ToString("0.###e0", CultureInfo.InvariantCulture);
}
