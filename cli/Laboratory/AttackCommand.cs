using System.CommandLine;
using FedServerless.Aggregation.Robust;
using FedServerless.Cli.Demo;

namespace FedServerless.Cli.Laboratory;

/// <summary><c>fed attack</c>: federations with liars among their clients, every rule against every attack.</summary>
internal static class AttackCommand
{
    public static Command Create(Shell shell)
    {
        var defaults = new AttackOptions();
        string[] attacks = [.. Attacks.All.Select(attack => attack.Name)];
        var clients = OptionRules.Number("--clients", "Clients, liars among them.", defaults.Clients, 2, 140);
        var liars = OptionRules.Number("--liars", "Liars among them, fewer than half.", defaults.Liars, 1, 69);
        var rounds = OptionRules.Number("--rounds", "Rounds.", defaults.Rounds, 1, 1000);
        var seeds = OptionRules.Number("--seeds", "Seeds 0 to N-1; figures are means over them.", defaults.Seeds, 1, 100);
        var rules = List("--rules", $"Rules, separated by commas: {string.Join(", ", AggregationRules.Names)}.", AggregationRules.Names);
        var names = List("--attacks", $"Attacks, separated by commas: {string.Join(", ", attacks)}.", attacks);
        var partitions = new Option<string>("--partitions") { Description = $"How the digits are dealt out, separated by commas: {PartitionChoice.Form}.", HelpName = "HOW,…", DefaultValueFactory = _ => "iid" };
        partitions.Validators.Add(result =>
        {
            foreach (var text in (result.Tokens.Count == 0 ? "iid" : result.Tokens[0].Value).Split(','))
            {
                if (!PartitionChoice.TryParse(text, out _))
                {
                    result.AddError($"--partitions has '{text}'; expected {PartitionChoice.Form}.");
                }
            }
        });
        var mixing = new Option<string>("--mixing") { Description = $"What is done before the rules that can have it: {string.Join(", ", AggregationRules.Mixings)}.", HelpName = "HOW", DefaultValueFactory = _ => defaults.Mixing }
            .OneOf(AggregationRules.Mixings);
        var csv = new Option<string?>("--csv") { Description = "Write the table to this file.", HelpName = "FILE" }.NotBlank();
        var figure = new Option<string?>("--figure") { Description = "Draw the tables to this file, SVG.", HelpName = "FILE" }.NotBlank();
        var json = new Option<bool>("--json") { Description = "Write the result as JSON on the last line." };
        var command = new Command("attack", "Run federations with liars among their clients: every rule against every attack.")
        {
            clients, liars, rounds, seeds, rules, names, partitions, mixing, csv, figure, json,
        };
        command.SetAction((parsed, cancellationToken) => new AttackLaboratory(shell, new AttackOptions
        {
            Clients = parsed.GetValue(clients),
            Liars = parsed.GetValue(liars),
            Rounds = parsed.GetValue(rounds),
            Seeds = parsed.GetValue(seeds),
            Rules = parsed.GetValue(rules) is { } some ? some.Split(',') : AggregationRules.Names,
            Attacks = parsed.GetValue(names) is { } chosen ? chosen.Split(',') : attacks,
            Partitions = [.. parsed.GetRequiredValue(partitions).Split(',').Select(Parse)],
            Mixing = parsed.GetRequiredValue(mixing),
            Csv = parsed.GetValue(csv),
            Figure = parsed.GetValue(figure),
            Json = parsed.GetValue(json),
        }).RunAsync(cancellationToken));
        return command;
    }

    private static PartitionChoice Parse(string text) => PartitionChoice.TryParse(text, out var choice) ? choice : PartitionChoice.Iid;

    private static Option<string?> List(string name, string description, IReadOnlyList<string> known)
    {
        var option = new Option<string?>(name) { Description = description + " Default: all.", HelpName = "NAME,…" };
        option.Validators.Add(result =>
        {
            foreach (var word in result.Tokens.SelectMany(token => token.Value.Split(',')).Except(known, StringComparer.Ordinal))
            {
                result.AddError($"{name} has '{word}'; expected {string.Join(", ", known.SkipLast(1))} or {known[^1]}.");
            }
        });
        return option;
    }
}
