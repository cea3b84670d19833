using System.CommandLine;
using System.Globalization;
using FedServerless.Cli.Server;
using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Cli.Privacy.Accounts;

/// <summary><c>fed privacy budget</c>: what a population may spend, over everything that ever trains on it.</summary>
internal static class BudgetCommands
{
    private const string SetExamples = """
        Set or change a population's budget. Raising one needs --reason, which stands in every report.

        fed privacy budget set --epsilon 3 --clients 200
        fed privacy budget set --epsilon 3 --clients 200 --planned-rate 0.25 --planned-rounds 40
        fed privacy budget set plant --epsilon 8 --clients 10000 --delta 1e-6 --reason "second year, agreed with the works council"
        """;

    public static Command Create(Shell shell) => new("budget", "Set and show what a population may spend.") { Set(shell), Show(shell) };

    private static Command Set(Shell shell)
    {
        var population = Population();
        var epsilon = new Option<double>("--epsilon") { Description = $"The most that everything may cost: above 0, at most {PrivacyBudget.LargestEpsilon}.", HelpName = "E", Required = true };
        var clients = new Option<long>("--clients") { Description = "N: how many clients the population has.", HelpName = "N", Required = true };
        var delta = new Option<double?>("--delta") { Description = "The chance that the promise fails, below 1/N. Default: 1/(10N).", HelpName = "D" };
        var adversary = new Option<string>("--against") { Description = "Against whom it is held: modelHolder (released models only) or cohortObserver (also who took part).", HelpName = "WHOM", DefaultValueFactory = _ => SetBudgetRequest.Adversaries[0] }
            .OneOf(SetBudgetRequest.Adversaries);
        var isFixed = new Option<bool>("--fixed-schedule") { Description = "All noise, rates and lengths are chosen without a look at released models. Without it they may depend on them, which costs a little more." };
        var rate = new Option<double?>("--planned-rate") { Description = "q of the rounds that are planned, with --planned-rounds or --planned-noise: so that the budget's order suits them.", HelpName = "Q" };
        var noise = new Option<double?>("--planned-noise") { Description = "Noise multiplier of the rounds that are planned.", HelpName = "Z" };
        var rounds = new Option<int?>("--planned-rounds") { Description = "How many rounds shall spend the budget, instead of --planned-noise.", HelpName = "N" };
        var order = new Option<double?>("--order") { Description = "The order to declare, instead of planned rounds.", HelpName = "A" };
        var reason = new Option<string?>("--reason") { Description = "Why, for every report.", HelpName = "TEXT" }.NotBlank();
        var acknowledge = new Option<bool>("--acknowledge-unaccounted") { Description = "Set it although runs trained here without privacy; they stand in every report." };
        return new ServerOptions(shell).Command(
            "set", SetExamples, [population, epsilon, clients, delta, adversary, isFixed, rate, noise, rounds, order, reason, acknowledge], async (parsed, server, answer, token) =>
        {
            var spend = new PrivacySpend(Finite("--epsilon", parsed.GetValue(epsilon)), Finite("--delta", parsed.GetValue(delta)) ?? 0.1 / Math.Max(1, parsed.GetValue(clients)));
            var request = new SetBudgetRequest
            {
                Epsilon = spend.Epsilon,
                Clients = parsed.GetValue(clients),
                Delta = parsed.GetValue(delta),
                Adversary = parsed.GetRequiredValue(adversary),
                Adaptivity = SetBudgetRequest.Adaptivities[parsed.GetValue(isFixed) ? (int)FilterAdaptivity.ScheduleFixed : (int)FilterAdaptivity.Adaptive],
                Order = Finite("--order", parsed.GetValue(order)),
                Planned = PlannedOf(
                    spend, Finite("--planned-rate", parsed.GetValue(rate)), Finite("--planned-noise", parsed.GetValue(noise)), parsed.GetValue(rounds),
                    isAmplified: parsed.GetRequiredValue(adversary) == SetBudgetRequest.Adversaries[(int)PrivacyAdversary.ModelHolder]),
                Reason = parsed.GetValue(reason),
                AcknowledgeUnaccounted = parsed.GetValue(acknowledge),
            };
            return Write(shell, answer, await server.SetBudgetAsync(parsed.GetRequiredValue(population), request, token));
        });
    }

    private static PlannedRounds? PlannedOf(PrivacySpend spend, double? rate, double? noise, int? rounds, bool isAmplified)
    {
        if (rate is null && noise is null && rounds is null)
        {
            return null;
        }

        if (rate is null || noise is null == rounds is null)
        {
            throw new CommandException("Planned rounds are described by --planned-rate and one of --planned-rounds and --planned-noise.", ExitCodes.Usage);
        }

        try
        {
            // As a run with this epsilon finds its noise: the order that suits it has room for every round.
            var calibrated = noise ?? NoiseCalibration.Rounds(spend, isAmplified ? rate.Value : 1, rounds!.Value, UpdateGrid.BitsFor(1));
            return new PlannedRounds { SamplingRate = rate.Value, NoiseMultiplier = calibrated };
        }
        catch (ArgumentException exception)
        {
            throw new CommandException($"These rounds cannot be planned: {exception.Message}", ExitCodes.Usage);
        }
    }

    private static Command Show(Shell shell)
    {
        var population = Population();
        return new ServerOptions(shell).Command("show", "Show a population's budget and what is left of it.", [population], async (parsed, server, answer, token) =>
            Write(shell, answer, await server.GetBudgetAsync(parsed.GetRequiredValue(population), token)));
    }

    public static Argument<string> Population() => new("population") { Description = "The population.", DefaultValueFactory = _ => "default" };

    private static int Write(Shell shell, Answer answer, BudgetView view) => answer.Write(view, WireJson.Default.BudgetView, budget =>
    {
        WriteStanding(shell, budget.Population, budget.Standing);
        foreach (var warning in budget.Warnings)
        {
            shell.Output.WriteLine($"Note: {warning}");
        }
    });

    /// <summary>A budget and what is left, for people.</summary>
    public static void WriteStanding(Shell shell, string population, BudgetStanding standing)
    {
        var budget = standing.Budget;
        Line($"Budget of {population}: epsilon {budget.Epsilon} at delta {budget.Delta:0.###e0}, {budget.Clients} clients, against {(budget.Adversary == PrivacyAdversary.ModelHolder ? "holders of released models" : "observers of cohorts")}.");
        Line($"{(budget.Adaptivity == FilterAdaptivity.ScheduleFixed ? "The schedule is fixed in advance" : $"Runs may depend on released models: order {budget.Order:0.###}")}; set by {standing.Operator} on {standing.SetAt.UtcDateTime:yyyy-MM-dd}{(standing.Reason is { } reason ? $": {reason}" : "")}.");
        Line($"charged {standing.ChargedRatio:P1} of it, with reservations {standing.SpentRatio:P1}, left {standing.LeftRatio:P1}.");

        void Line(FormattableString line) => shell.Output.WriteLine(line.ToString(CultureInfo.InvariantCulture));
    }

    // JSON has no word for what is not a number, so it cannot be the server that refuses it.
    private static double? Finite(string option, double? value) => value is { } number ? Finite(option, number) : null;

    private static double Finite(string option, double value) => double.IsFinite(value)
        ? value
        : throw new CommandException(string.Create(CultureInfo.InvariantCulture, $"{option} is {value}; expected a finite number."), ExitCodes.Usage);
}
