using System.CommandLine;
using System.Globalization;
using FedServerless.Cli.Server;

namespace FedServerless.Cli.Privacy.Auditing;

/// <summary><c>fed privacy audit</c>: attacks the mechanism with canaries, and says what that shows.</summary>
internal static class PrivacyAuditCommand
{
    private const string Summary = """
        Attack the mechanism with canary clients on a throw-away run, and print the epsilon that it cannot be below. Exits with 1 if that refutes the claim.

        fed privacy audit                                  1000 canaries against a claim of epsilon 2
        fed privacy audit --canaries 5000 --epsilon 1
        fed privacy audit --noise 1 --rate 0.25 --rounds 40
        fed privacy audit --host --canaries 200            a real host and real clients on this machine
        """;

    public static Command Create(Shell shell)
    {
        var defaults = new PrivacyAuditOptions();
        var canaries = OptionRules.Number("--canaries", "Canary clients, each included by a fair coin of its own.", defaults.Canaries, PrivacyAuditOptions.LeastCanaries, PrivacyAuditOptions.MostCanaries);
        var guesses = new Option<int?>("--guesses") { Description = "Canaries to guess, half of them in, half out. Default: a fifth.", HelpName = "N" };
        var rounds = OptionRules.Number("--rounds", "Rounds.", defaults.Rounds, 1, 1000);
        var rate = new Option<double>("--rate") { Description = "q: each client's chance to be in a round.", HelpName = "Q", DefaultValueFactory = _ => defaults.Rate };
        var epsilon = new Option<double>("--epsilon") { Description = "The claim for all rounds together; the noise is found for it.", HelpName = "E", DefaultValueFactory = _ => defaults.Epsilon };
        var noise = new Option<double?>("--noise") { Description = "The noise multiplier, instead of --epsilon.", HelpName = "Z" };
        var delta = new Option<double>("--delta") { Description = "The chance that the promise fails.", HelpName = "D", DefaultValueFactory = _ => defaults.Delta };
        var clip = new Option<double>("--clip") { Description = "The clipping norm.", HelpName = "C", DefaultValueFactory = _ => defaults.Clip };
        var blocks = OptionRules.Number("--blocks", "Blocks of the model, each noised by itself.", defaults.Blocks, 1, 64);
        var host = new Option<bool>("--host") { Description = "Audit the private rounds of a local host, with a client over HTTP for each canary, instead of the mechanism in memory." };
        var length = new Option<TimeSpan?>("--round-length") { Description = "How long each round of the host waits. Default: 5 s, and a second more for every 20 canaries.", HelpName = "TIME", CustomParser = result => Durations.Read(result, "--round-length") };
        var json = new Option<bool>("--json") { Description = "Write the answer as JSON, for scripts." };
        var command = new Command("audit", Summary) { canaries, guesses, rounds, rate, epsilon, noise, delta, clip, blocks, host, length, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = new PrivacyAuditOptions
            {
                Canaries = parsed.GetValue(canaries),
                Guesses = parsed.GetValue(guesses),
                Rounds = parsed.GetValue(rounds),
                Rate = parsed.GetValue(rate),
                Epsilon = parsed.GetValue(epsilon),
                Noise = parsed.GetValue(noise),
                Delta = parsed.GetValue(delta),
                Clip = parsed.GetValue(clip),
                Blocks = parsed.GetValue(blocks),
                Host = parsed.GetValue(host),
                RoundLength = parsed.GetValue(length),
                Json = parsed.GetValue(json),
            };
            if (options.Problems() is { Count: > 0 } problems)
            {
                throw new CommandException($"That cannot be audited: {string.Join(' ', problems)}", ExitCodes.Usage);
            }

            var result = options.Host
                ? await new HostAudit(shell, options).RunAsync(cancellationToken)
                : await Task.Run(() => Audit(options, cancellationToken), cancellationToken);
            new Answer(shell, options.Json).Write(result, PrivacyAuditJson.Default.PrivacyAuditResult, found => Write(shell, found));
            return result.IsRefuted ? ExitCodes.Failure : ExitCodes.Success;
        });
        return command;
    }

    private static PrivacyAuditResult Audit(PrivacyAuditOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return new CanaryAuditor(options).Run(cancellationToken);
        }
        catch (ArgumentException exception)
        {
            throw new CommandException($"That cannot be audited: {exception.Message}", ExitCodes.Usage);
        }
    }

    private static void Write(Shell shell, PrivacyAuditResult found)
    {
        Line($"Audited: {(found.Audited == PrivacyAuditResult.Host ? "private rounds of a local host, with real clients over HTTP" : "the mechanism of the core, in the memory of this process")}. {found.Rounds} {(found.Rounds == 1 ? "round" : "rounds")}, q = {found.SamplingRate}, noise {found.NoiseMultiplier:F4}.");
        Line($"{found.Included} of {found.Canaries} canaries were in; {found.Correct} of {found.Guesses} guesses were right.");
        Line($"claimed epsilon            {found.ClaimedEpsilon,8:F3}   at delta {found.Delta:0.###e0}");
        Line($"lower bound, 95 %          {found.LowerBound,8:F3}   the mechanism has this epsilon or more");
        Line($"could have shown at most   {found.LargestShowable,8:F3}   with {found.Canaries} canaries; {found.LargestGuessable:F3} with {found.Guesses} guesses");
        Line($"{(found.IsRefuted ? "REFUTED: the mechanism does not keep what it claims." : "Not refuted.")}{(found.LargestGuessable <= found.ClaimedEpsilon ? " This audit could not have refuted the claim: use more canaries." : "")}");

        void Line(FormattableString line) => shell.Output.WriteLine(line.ToString(CultureInfo.InvariantCulture));
    }
}
