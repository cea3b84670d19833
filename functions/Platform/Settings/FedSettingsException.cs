namespace FedServerless.Functions.Platform.Settings;

/// <summary>The host's settings are wrong; the message names everything that is, and what would be right.</summary>
/// <param name="problems">One sentence each.</param>
public sealed class FedSettingsException(IReadOnlyList<string> problems)
    : Exception($"The host cannot start: {problems.Count} of its settings {(problems.Count == 1 ? "is" : "are")} wrong.{Environment.NewLine}{string.Join(Environment.NewLine, problems.Select(problem => "- " + problem))}")
{
    /// <summary>One sentence for each thing that is wrong.</summary>
    public IReadOnlyList<string> Problems => problems;
}
