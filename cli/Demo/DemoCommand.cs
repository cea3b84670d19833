using System.CommandLine;
using FedServerless.Compression;
using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Cli.Demo;

/// <summary><c>fed demo</c>: real training on real digits, everything on this machine.</summary>
internal static class DemoCommand
{
    public static Command Create(Shell shell)
    {
        var defaults = new DemoOptions();
        var model = new Option<string>("--model") { Description = $"What to train: {Architectures.Softmax}, {Architectures.Mlp} or {Architectures.Conv}.", HelpName = "NAME", DefaultValueFactory = _ => defaults.Model }
            .OneOf(Architectures.Softmax, Architectures.Mlp, Architectures.Conv);
        var partition = new Option<PartitionChoice>("--partition")
        {
            Description = $"How the digits are dealt out: {PartitionChoice.Form}.",
            HelpName = "HOW",
            DefaultValueFactory = _ => defaults.Partition,
            CustomParser = result =>
            {
                if (PartitionChoice.TryParse(result.Tokens[0].Value, out var choice))
                {
                    return choice;
                }

                result.AddError($"--partition is '{result.Tokens[0].Value}'; expected {PartitionChoice.Form}.");
                return defaults.Partition;
            },
        };
        var clients = OptionRules.Number("--clients", "Edge clients.", defaults.Clients, 1, DemoOptions.MaxClients);
        var rounds = OptionRules.Number("--rounds", "Rounds to publish.", defaults.Rounds, 1, RunLimits.MaxRounds);
        var seed = new Option<long>("--seed") { Description = "Where all chance comes from.", HelpName = "N", DefaultValueFactory = _ => defaults.Seed };
        var azurite = new Option<bool>("--azurite") { Description = "Start Azurite and keep everything there; needs Node.js." };
        var data = new Option<string?>("--data") { Description = "Keep the files here. Default: a temporary folder.", HelpName = "DIR" }.NotBlank();
        var privacy = new Option<string?>("--privacy") { Description = $"Train with differential privacy: {string.Join(", ", PrivacyLevels.Names)}. {DemoOptions.PrivateClients} clients and {DemoOptions.PrivateRounds} rounds unless said otherwise; each round waits for its deadline.", HelpName = "LEVEL" }
            .OneOf(PrivacyLevels.Names);
        var codec = new Option<string>("--codec") { Description = $"How updates travel: {string.Join(", ", UpdateCodecs.All.Names)}. With error feedback, but for the first two and ternary.", HelpName = "NAME", DefaultValueFactory = _ => defaults.Codec }
            .OneOf(UpdateCodecs.All.Names);
        var keep = new Option<double?>("--keep") { Description = $"Share of the parameters that a top-k or random-k codec sends. Default {UpdateCodecs.DefaultKeep}.", HelpName = "X" };
        var json = new Option<bool>("--json") { Description = "Write the result as JSON on the last line." };
        var command = new Command("demo", "Train a real model across edge clients on this machine.")
        {
            model, partition, clients, rounds, seed, privacy, codec, keep, azurite, data, json,
        };
        command.SetAction((parsed, cancellationToken) => new DemoRun(shell, new DemoOptions
        {
            Model = parsed.GetRequiredValue(model),
            Partition = parsed.GetRequiredValue(partition),
            Clients = Or(parsed, clients, privacy, DemoOptions.PrivateClients),
            Rounds = Or(parsed, rounds, privacy, DemoOptions.PrivateRounds),
            Seed = parsed.GetValue(seed),
            Privacy = parsed.GetValue(privacy),
            Codec = parsed.GetRequiredValue(codec),
            Keep = parsed.GetValue(keep),
            Azurite = parsed.GetValue(azurite),
            Data = parsed.GetValue(data),
            Json = parsed.GetValue(json),
        }).ExecuteAsync(cancellationToken));
        return command;
    }

    // What was typed, else the default that suits a private demo or one that is not.
    private static int Or(ParseResult parsed, Option<int> option, Option<string?> privacy, int @private) =>
        parsed.GetValue(privacy) is null || parsed.GetResult(option) is { Implicit: false } ? parsed.GetValue(option) : @private;
}
