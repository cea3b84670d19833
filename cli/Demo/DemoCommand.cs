using System.CommandLine;
using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Cli.Demo;

/// <summary><c>fed demo</c>: real training on real digits, everything on this machine.</summary>
internal static class DemoCommand
{
    public static Command Create(Shell shell)
    {
        var defaults = new DemoOptions();
        var model = new Option<string>("--model") { Description = $"What to train: {Architectures.Softmax} or {Architectures.Mlp}.", HelpName = "NAME", DefaultValueFactory = _ => defaults.Model }
            .OneOf(Architectures.Softmax, Architectures.Mlp);
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
        var json = new Option<bool>("--json") { Description = "Write the result as JSON on the last line." };
        var command = new Command("demo", "Train a real model across edge clients on this machine.")
        {
            model, partition, clients, rounds, seed, azurite, data, json,
        };
        command.SetAction((parsed, cancellationToken) => new DemoRun(shell, new DemoOptions
        {
            Model = parsed.GetRequiredValue(model),
            Partition = parsed.GetRequiredValue(partition),
            Clients = parsed.GetValue(clients),
            Rounds = parsed.GetValue(rounds),
            Seed = parsed.GetValue(seed),
            Azurite = parsed.GetValue(azurite),
            Data = parsed.GetValue(data),
            Json = parsed.GetValue(json),
        }).ExecuteAsync(cancellationToken));
        return command;
    }
}
