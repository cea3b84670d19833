using System.Globalization;
using System.Text;
using System.Text.Json;
using FedServerless.Cli.Demo;
using FedServerless.Cli.Output;

namespace FedServerless.Cli.Laboratory;

/// <summary>Rules × attacks × partitions, as tables, as CSV, as JSON.</summary>
internal sealed class AttackLaboratory(Shell shell, AttackOptions options)
{
    private const int FirstColumn = 20;
    private const int Column = 10;

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        if (2 * options.Liars >= options.Clients)
        {
            throw new CommandException($"--liars is {options.Liars} of {options.Clients} clients; expected fewer than half: no rule bears more.", ExitCodes.Usage);
        }

        var digits = Digits.Read(shell.GetRepository());
        var cells = new List<AttackCell>();
        shell.Output.WriteLine($"{options.Liars} of {options.Clients} clients lie; {options.Rounds} rounds of softmax on the digits, {options.Seeds} {(options.Seeds == 1 ? "seed" : "seeds")}.");
        foreach (var partition in options.Partitions)
        {
            shell.Output.WriteLine();
            shell.Output.WriteLine($"Accuracy on held-out digits, {partition}" + (options.Mixing == Aggregation.Robust.AggregationRules.NoMixing ? "" : $", after {options.Mixing}"));
            var table = new Columns([("", FirstColumn), .. options.Attacks.Select(attack => (attack, Column))]);
            shell.Output.WriteLine(table.Header);
            foreach (var rule in options.Rules)
            {
                var row = await Task.Run(() => RunRow(partition, rule, digits, cancellationToken), cancellationToken);
                cells.AddRange(row);
                shell.Output.WriteLine(table.Row([rule, .. row.Select(cell => cell.Text)]));
            }

            WriteLine("Backdoor's success", partition, "backdoor", cells, cell => cell.Backdoor);
            WriteLine("Accuracy of the worst served honest client on its own digits, nobody lying", partition, "none", cells, cell => cell.WorstServed);
        }

        WriteNotes(cells);
        await WriteFilesAsync(cells, cancellationToken);
        return ExitCodes.Success;
    }

    private AttackCell[] RunRow(PartitionChoice partition, string rule, Client.Training.LabelledSamples digits, CancellationToken cancellationToken)
    {
        var row = new AttackCell[options.Attacks.Count];
        Parallel.For(0, row.Length, new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = Environment.ProcessorCount }, i =>
        {
            var attack = Attacks.All.Single(known => known.Name == options.Attacks[i]);
            AttackOutcome[] outcomes = [.. Enumerable.Range(0, options.Seeds)
                .Select(seed => new AttackFederation(options, digits, partition, rule, attack, seed).Run(cancellationToken))];
            row[i] = AttackCell.Of(partition.ToString(), rule, attack.Name, outcomes);
        });
        return row;
    }

    private void WriteLine(string title, PartitionChoice partition, string attack, List<AttackCell> cells, Func<AttackCell, double?> value)
    {
        var row = cells.Where(cell => cell.Attack == attack && cell.Partition == partition.ToString() && value(cell) is not null).ToArray();
        if (row.Length > 0)
        {
            shell.Output.WriteLine($"{title}: {string.Join(", ", row.Select(cell => $"{cell.Rule} {Columns.Number(value(cell), 2)}"))}");
        }
    }

    private void WriteNotes(List<AttackCell> cells)
    {
        shell.Output.WriteLine();
        foreach (var refusal in cells.Where(cell => cell.Refusal is not null).DistinctBy(cell => (cell.Rule, cell.Refusal)))
        {
            shell.Output.WriteLine($"{refusal.Rule}: {refusal.Refusal}");
        }

        shell.Output.WriteLine("Marked ~: the literature expects the attack to get through:");
        foreach (var known in cells.Where(cell => cell.Expected is not null).GroupBy(cell => (cell.Attack, cell.Expected)))
        {
            shell.Output.WriteLine($"  {known.Key.Attack} on {string.Join(", ", known.Select(cell => cell.Rule).Distinct())}: {known.Key.Expected}");
        }
    }

    private async Task WriteFilesAsync(List<AttackCell> cells, CancellationToken cancellationToken)
    {
        if (options.Figure is { } figure)
        {
            await WrittenFile.WriteAsync(shell, figure, AttackFigure.Draw(options, cells), cancellationToken);
        }

        if (options.Csv is { } path)
        {
            var text = new StringBuilder("partition,rule,attack,clients,liars,rounds,seeds,accuracy,lowest,backdoor,worstServed,refusal,expected\n");
            foreach (var cell in cells)
            {
                text.Append(CultureInfo.InvariantCulture, $"{cell.Partition},{cell.Rule},{cell.Attack},{options.Clients},{options.Liars},{options.Rounds},{options.Seeds},{cell.Accuracy:F4},{cell.Lowest:F4},{cell.Backdoor:F4},{cell.WorstServed:F4},\"{cell.Refusal}\",\"{cell.Expected}\"\n");
            }

            await WrittenFile.WriteAsync(shell, path, text.ToString(), cancellationToken);
        }

        if (options.Json)
        {
            shell.Output.WriteLine(JsonSerializer.Serialize(cells, AttackJson.Default.ListAttackCell));
        }
    }
}
