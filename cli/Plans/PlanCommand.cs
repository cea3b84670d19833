using System.CommandLine;
using FedServerless.Capacity;
using FedServerless.Cli.Runs;
using FedServerless.Cli.Server;
using FedServerless.Compression;
using FedServerless.Optimization;
using FedServerless.Wire;
using FedServerless.Wire.Downloads;

namespace FedServerless.Cli.Plans;

/// <summary><c>fed plan</c>: what a deployment of some size asks of Azure, and what that costs; asks nobody.</summary>
internal static class PlanCommand
{
    public static Command Create(Shell shell)
    {
        var clients = new Option<int?>("--clients") { Description = "Clients of the population, 1 to 1000000.", HelpName = "N" };
        var parameters = new Option<int?>("--parameters") { Description = "Parameters of the model, 1 to 1000000000.", HelpName = "P" };
        var cohort = new Option<int?>("--cohort") { Description = "Clients of a round. Default: all.", HelpName = "N" };
        var codec = new Option<string>("--codec") { Description = $"How updates travel: {string.Join(", ", UpdateCodecs.All.Names)}.", HelpName = "NAME", DefaultValueFactory = _ => UpdateCodecs.Float32 }.OneOf([.. UpdateCodecs.All.Names]);
        var download = new Option<string>("--download") { Description = $"How the model travels to devices: {string.Join(", ", DeploymentQuestion.Downloads)}.", HelpName = "NAME", DefaultValueFactory = _ => DownloadEncodings.Float32 }.OneOf([.. DeploymentQuestion.Downloads]);
        var adapt = RunAdaptationOptions.Codecs("Codecs that a round may choose from, as in fed run start: what is asked is said of each.");
        var daily = new Option<long?>("--adapt-bytes-per-day") { Description = "Most bytes of models and updates that a client moves in a day, as in fed run start.", HelpName = "N" };
        var optimizer = new Option<string>("--optimizer") { Description = $"The server optimizer: {string.Join(", ", ServerOptimizers.Names)}.", HelpName = "NAME", DefaultValueFactory = _ => ServerOptimizers.FedAvg }.OneOf([.. ServerOptimizers.Names]);
        var hours = new Option<double>("--round-hours") { Description = "Hours that a round collects.", HelpName = "X", DefaultValueFactory = _ => 1 };
        var backend = new Option<string>("--backend") { Description = "Where the workflow engine keeps its state: storage or scheduler.", HelpName = "NAME", DefaultValueFactory = _ => "storage" }.OneOf("storage", "scheduler");
        var memory = new Option<int>("--memory") { Description = "Memory of an instance in MB: 512, 2048 or 4096.", HelpName = "MB", DefaultValueFactory = _ => 2048 };
        var instances = new Option<int>("--instances") { Description = "Most instances, 1 to 1000.", HelpName = "N", DefaultValueFactory = _ => 100 };
        var levels = new Option<int?>("--levels") { Description = "Levels of the reduction, 1 or 2. Default: as a round would choose.", HelpName = "N" };
        var prices = new Option<string?>("--prices") { Description = "A price table, JSON. Default: the example.", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "Write the answer as JSON, for scripts." };
        var table = new Option<bool>("--table") { Description = "Write the tables of docs/concepts/scale.md." };
        var command = new Command("plan", "Say what a deployment of some size needs and costs, and which limit it meets first.")
        {
            clients, parameters, cohort, codec, adapt, daily, download, optimizer, hours, backend, memory, instances, levels, prices, json, table,
        };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(table))
            {
                shell.Output.Write(PlanTables.Markdown());
                return ExitCodes.Success;
            }

            var question = new DeploymentQuestion
            {
                Clients = parsed.GetValue(clients) ?? throw new CommandException("A plan needs --clients N and --parameters P.", ExitCodes.Usage),
                Parameters = parsed.GetValue(parameters) ?? throw new CommandException("A plan needs --clients N and --parameters P.", ExitCodes.Usage),
                Cohort = parsed.GetValue(cohort),
                Codec = parsed.GetValue(codec)!,
                Download = parsed.GetValue(download)!,
                OptimizerStates = ServerOptimizers.Create(new OptimizerSpec { Name = parsed.GetValue(optimizer)! }).StateNames.Count,
                RoundHours = parsed.GetValue(hours),
                IsScheduler = parsed.GetValue(backend) == "scheduler",
                MemoryMb = parsed.GetValue(memory),
                MaxInstances = parsed.GetValue(instances),
                Levels = parsed.GetValue(levels),
                Prices = ReadPrices(shell, parsed.GetValue(prices)),
            };
            var problems = question.Problems();
            if (problems.Count > 0)
            {
                throw new CommandException($"That cannot be planned: {string.Join(' ', problems)}", ExitCodes.Usage);
            }

            var answer = new Answer(shell, parsed.GetValue(json));
            answer.Write(DeploymentPlanner.Plan(question), PlanJson.Default.DeploymentPlan, plan => PlanText.Write(shell, question, plan));
            return AdaptivePlan.Write(answer, question, parsed.GetValue(adapt) ?? [], parsed.GetValue(daily));
        });
        return command;
    }

    private static PriceTable ReadPrices(Shell shell, string? file)
    {
        if (file is null)
        {
            return new PriceTable();
        }

        var path = Path.GetFullPath(file, shell.CurrentFolder);
        if (!File.Exists(path))
        {
            throw new CommandException($"There is no file '{path}'.", ExitCodes.Usage);
        }

        return PriceTable.TryParse(File.ReadAllBytes(path), out var prices, out var problems)
            ? prices
            : throw new CommandException($"'{path}' is not a price table: {string.Join(' ', problems)}", ExitCodes.Usage);
    }
}
