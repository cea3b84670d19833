namespace FedServerless.Cli.Testing;

/// <summary>How a test ended.</summary>
internal enum TestOutcome
{
    Passed,
    Failed,
    Skipped,
}

/// <summary>One test that a report tells of.</summary>
/// <param name="Name">Its full name.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Text">Message and stack of a failure, reason of a skip; null for a test that passed.</param>
internal sealed record TestCase(string Name, TestOutcome Outcome, double Seconds, string? Text);
