using System.Diagnostics;
using System.Globalization;
using System.Text;
using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Optimization;
using FedServerless.Wire;

namespace FedServerless.Bench;

/// <summary>
/// Rounds to 88 % test accuracy of softmax regression on MNIST's first 20 000 images, sorted by label and dealt in a row to 100 clients, of which 20
/// take part in a round with five local epochs: where clients differ as much as they can, and drift shows. FedNova is left out: with equal steps it
/// is FedAvg to the byte.
/// </summary>
internal static class SolverBenchmark
{
    private const double Target = 0.88;
    private const int Images = 20_000;
    private const int Clients = 100;
    private const int Cohort = 20;

    private static readonly (string Name, TrainingSpec Training)[] Solvers =
    [
        ("scaffold", new TrainingSpec { Solver = LocalSolvers.Scaffold }),
        ("fedavg", new TrainingSpec()),
        ("fedprox µ = 0.1", new TrainingSpec { ProximalMu = 0.1 }),
        ("fedprox µ = 1", new TrainingSpec { ProximalMu = 1 }),
        ("feddyn α = 0.1", new TrainingSpec { Solver = LocalSolvers.FedDyn, ProximalMu = 0.1 }),
    ];

    public static IReadOnlyList<Measurement> Run(IReadOnlyList<string> args)
    {
        if (MnistFiles.Load(args.Text("--data")) is not var (all, test))
        {
            return [];
        }

        var training = all.Subset([.. Enumerable.Range(0, Images)]);
        var sorted = Enumerable.Range(0, Images).OrderBy(training.Label).ToArray();
        var parts = sorted.Chunk(Images / Clients).ToArray();
        var curves = new StringBuilder("solver,learning_rate,seed,round,accuracy\n");
        var rates = (args.Text("--lr") ?? "0.02,0.2").Split(',').Select(rate => double.Parse(rate, CultureInfo.InvariantCulture)).ToArray();
        var (seeds, most, batch) = (args.Number("--seeds", 3), args.Number("--rounds-max", 200), args.Number("--batch", 40));
        List<Measurement> measurements = [];
        foreach (var rate in rates)
        {
            foreach (var (name, solver) in Solvers)
            {
                var spec = solver with { LearningRate = rate, Epochs = 5, BatchSize = batch };
                measurements.Add(Series(name, spec, training, test, parts, seeds, most, curves));
            }
        }

        if (args.Text("--csv") is { } csv)
        {
            File.WriteAllText(csv, curves.ToString());
        }

        return measurements;
    }

    private static Measurement Series(
        string name, TrainingSpec spec, LabelledSamples training, LabelledSamples test, int[][] parts, int seeds, int most, StringBuilder curves)
    {
        var rounds = new List<int>();
        var architecture = new ArchitectureSpec { Name = Architectures.Softmax, Inputs = 784, Outputs = 10 };
        var start = Stopwatch.GetTimestamp();
        for (var seed = 1; seed <= seeds; seed++)
        {
            var federation = new SolverFederation(architecture, training, test, parts, spec, seed);
            var (accuracy, round) = (0.0, 0);
            while (accuracy < Target && round < most)
            {
                round++;
                accuracy = federation.RunRound(Cohort);
                curves.Append(string.Create(null, $"{name},{spec.LearningRate},{seed},{round},{accuracy:0.0000}\n"));
            }

            rounds.Add(accuracy >= Target ? round : int.MaxValue);
            Console.Error.WriteLine($"{name} lr {spec.LearningRate} seed {seed}: {accuracy:P2} after {round} rounds, {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s");
        }

        var list = string.Join(", ", rounds.Select(count => count == int.MaxValue ? $"over {most}" : $"{count}"));
        return new Measurement($"{name} lr {spec.LearningRate}", Math.Min(rounds.Order().ElementAt(rounds.Count / 2), most), "rounds", $"to 88 %, median of seeds ({list})");
    }
}
