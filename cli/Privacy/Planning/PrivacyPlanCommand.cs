using System.CommandLine;
using System.Globalization;
using System.Numerics;
using FedServerless.Cli.Demo;

namespace FedServerless.Cli.Privacy.Planning;

/// <summary><c>fed privacy plan</c>: what noise buys and what it costs; asks nobody.</summary>
internal static class PrivacyPlanCommand
{
    private const string Examples = """
        Price noise before a run, and measure on the digits what accuracy it leaves; asks no server.

        fed privacy plan                                           the levels and more, for 200 clients and 40 rounds
        fed privacy plan --clients 1000,100000 --cohort 100 --rounds 50,200 --epsilon 1,3
        fed privacy plan --noise 0.8,1,1.2 --delta 1e-5            the epsilon of given noise
        fed privacy plan --measure --delta 0.001 --figure trade-off.svg
        """;

    public static Command Create(Shell shell)
    {
        var defaults = new PrivacyPlanOptions();
        var clients = List("--clients", "Populations N.", "N,…", defaults.Clients);
        var rate = new Option<double>("--rate") { Description = "q: each client's chance to be in a round.", HelpName = "Q", DefaultValueFactory = _ => defaults.Rate };
        var cohort = new Option<double?>("--cohort") { Description = "Clients of a round in expectation, instead of --rate.", HelpName = "N" };
        var rounds = List("--rounds", "Numbers of rounds.", "N,…", defaults.Rounds);
        var delta = new Option<double?>("--delta") { Description = "The chance that the promise fails. Default: 1/(10N).", HelpName = "D" };
        var epsilon = List("--epsilon", "Find the noise for these against holders of released models; strict is 1, balanced 3, light 8.", "E,…", defaults.Epsilons);
        var noise = List("--noise", "Price these noise multipliers instead.", "Z,…", defaults.Noise);
        var measure = new Option<bool>("--measure") { Description = "Also train softmax on the digits in memory, and say what accuracy is left." };
        var seeds = OptionRules.Number("--seeds", "Seeds 0 to N-1 of a measurement; figures are means over them.", defaults.Seeds, 1, 100);
        var partition = new Option<string>("--partition") { Description = $"How the digits are dealt out: {PartitionChoice.Form}.", HelpName = "HOW", DefaultValueFactory = _ => "iid" };
        partition.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !PartitionChoice.TryParse(result.Tokens[0].Value, out _))
            {
                result.AddError($"--partition is '{result.Tokens[0].Value}'; expected {PartitionChoice.Form}.");
            }
        });
        var clip = new Option<double>("--clip") { Description = "The clipping norm of a measurement; the first one with --adapt.", HelpName = "C", DefaultValueFactory = _ => defaults.Clip };
        var adapt = new Option<double?>("--adapt") { Description = "Let the clipping norm follow this quantile of the clients' norms. Default: fixed.", HelpName = "SHARE" };
        var epochs = OptionRules.Number("--epochs", "Local epochs of a measurement.", defaults.Training.Epochs, 1, 1000);
        var learningRate = new Option<double>("--lr") { Description = "Local learning rate of a measurement.", HelpName = "X", DefaultValueFactory = _ => defaults.Training.LearningRate };
        var csv = new Option<string?>("--csv") { Description = "Write the table to this file.", HelpName = "FILE" }.NotBlank();
        var figure = new Option<string?>("--figure") { Description = "Draw the trade-off to this file, SVG.", HelpName = "FILE" }.NotBlank();
        var json = new Option<bool>("--json") { Description = "Write the result as JSON on the last line." };
        var command = new Command("plan", Examples)
        {
            clients, rate, cohort, rounds, delta, epsilon, noise, measure, seeds, partition, clip, adapt, epochs, learningRate, csv, figure, json,
        };
        command.SetAction((parsed, cancellationToken) => new PrivacyPlanner(shell, new PrivacyPlanOptions
        {
            Clients = Split<long>(parsed.GetValue(clients)) ?? defaults.Clients,
            Rate = parsed.GetValue(rate),
            Cohort = parsed.GetValue(cohort),
            Rounds = Split<int>(parsed.GetValue(rounds)) ?? defaults.Rounds,
            Delta = parsed.GetValue(delta),
            Epsilons = Split<double>(parsed.GetValue(epsilon)) ?? defaults.Epsilons,
            Noise = Split<double>(parsed.GetValue(noise)) ?? defaults.Noise,
            Measure = parsed.GetValue(measure),
            Seeds = parsed.GetValue(seeds),
            Partition = PartitionChoice.TryParse(parsed.GetRequiredValue(partition), out var how) ? how : PartitionChoice.Iid,
            Clip = parsed.GetValue(clip),
            Quantile = parsed.GetValue(adapt),
            Training = defaults.Training with { Epochs = parsed.GetValue(epochs), LearningRate = parsed.GetValue(learningRate) },
            Csv = parsed.GetValue(csv),
            Figure = parsed.GetValue(figure),
            Json = parsed.GetValue(json),
        }).RunAsync(cancellationToken));
        return command;
    }

    private static Option<string?> List<T>(string name, string description, string form, IReadOnlyList<T> defaults)
        where T : INumber<T>
    {
        var text = string.Join(',', defaults.Select(value => value.ToString(null, CultureInfo.InvariantCulture)));
        var option = new Option<string?>(name) { Description = text.Length == 0 ? description : $"{description} Default: {text}.", HelpName = form };
        option.Validators.Add(result =>
        {
            foreach (var word in result.Tokens.SelectMany(token => token.Value.Split(',')))
            {
                if (!T.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out _))
                {
                    result.AddError($"{name} has '{word}'; expected {(typeof(T) == typeof(double) ? "numbers" : "whole numbers")}, separated by commas.");
                }
            }
        });
        return option;
    }

    private static IReadOnlyList<T>? Split<T>(string? text)
        where T : INumber<T> =>
        text is null ? null : [.. text.Split(',').Select(word => T.Parse(word, NumberStyles.Float, CultureInfo.InvariantCulture))];
}
