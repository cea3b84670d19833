using System.Diagnostics;
using System.Text;
using FedServerless.Client.Training;

namespace FedServerless.Bench;

/// <summary>
/// Rounds to 97 % test accuracy of the FedAvg paper's 2NN (784-200-200-10, 199 210 parameters) with 100 clients, C = 0.1, E = 1,
/// B = 10: table 1 of McMahan et al. 2017 (arXiv:1602.05629v4) gives 87 rounds IID and 664 with two label shards a client, each
/// at the best learning rate of a grid. As there, a curve counts as the best accuracy so far.
/// </summary>
internal static class MnistBenchmark
{
    private const double Target = 0.97;

    public static IReadOnlyList<Measurement> Run(IReadOnlyList<string> args)
    {
        var options = MnistOptions.Parse(args);
        if (MnistFiles.Load(options.Folder) is not var (training, test))
        {
            return [];
        }

        var curves = new StringBuilder("split,learning_rate,seed,round,accuracy,best_accuracy\n");
        List<Measurement> measurements = [.. options.LearningRates.SelectMany(rate => Series(options, training, test, rate, curves))];
        if (options.Csv is { } csv)
        {
            File.WriteAllText(csv, curves.ToString());
        }

        return measurements;
    }

    private static IEnumerable<Measurement> Series(
        MnistOptions options, LabelledSamples training, LabelledSamples test, double rate, StringBuilder curves)
    {
        var split = options.Shards ? "shards" : "iid";
        var (rounds, seconds, steps) = (new List<int>(), 0.0, 0);
        for (var seed = 1; seed <= options.Seeds; seed++)
        {
            var parts = options.Shards
                ? Partition.LabelShards(training.Labels, MnistFederation.Clients, seed)
                : Partition.Iid(training.Count, MnistFederation.Clients, seed);
            var federation = new MnistFederation(training, test, parts, rate, seed);
            var (best, round) = (0.0, 0);
            var start = Stopwatch.GetTimestamp();
            while (best < Target && round < options.RoundsMax)
            {
                round++;
                var accuracy = federation.RunRound();
                best = Math.Max(best, accuracy);
                curves.Append(string.Create(null, $"{split},{rate},{seed},{round},{accuracy:0.0000},{best:0.0000}\n"));
            }

            seconds += Stopwatch.GetElapsedTime(start).TotalSeconds;
            steps += round;
            rounds.Add(best >= Target ? round : int.MaxValue);
            Console.Error.WriteLine($"{split} lr {rate} seed {seed}: {best:P2} after {round} rounds");
        }

        var paper = options.Shards ? 664 : 87;
        var median = rounds.Order().ElementAt(rounds.Count / 2);
        var list = string.Join(", ", rounds.Select(count => count == int.MaxValue ? $"over {options.RoundsMax}" : $"{count}"));
        yield return new Measurement(
            $"{split} lr {rate}", Math.Min(median, options.RoundsMax), "rounds", $"to 97 %, median of seeds ({list}); the paper: {paper} at its best rate");
        yield return new Measurement($"{split} lr {rate}", 1e3 * seconds / steps, "ms", "a round with its test evaluation, two threads");
    }
}
