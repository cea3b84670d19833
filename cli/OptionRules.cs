using System.CommandLine;
using System.Globalization;

namespace FedServerless.Cli;

/// <summary>What options accept, said in the words of this tool.</summary>
internal static class OptionRules
{
    /// <summary>Refuses numbers outside a range; what is no number at all is refused by the parser.</summary>
    public static Option<int> Within(this Option<int> option, int least, int most)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var value)
                && (value < least || value > most))
            {
                result.AddError($"{option.Name} is {value}; expected {least} to {most}.");
            }
        });
        return option;
    }

    /// <summary>An option that takes a whole number of a range and says so.</summary>
    public static Option<int> Number(string name, string description, int @default, int least, int most) =>
        new Option<int>(name) { Description = $"{description} {least} to {most}.", HelpName = "N", DefaultValueFactory = _ => @default }.Within(least, most);

    /// <summary>Refuses all but some words, and suggests them.</summary>
    public static Option<T> OneOf<T>(this Option<T> option, params IReadOnlyList<string> words)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !words.Contains(result.Tokens[0].Value, StringComparer.Ordinal))
            {
                result.AddError($"{option.Name} is '{result.Tokens[0].Value}'; expected {string.Join(", ", words.SkipLast(1))} or {words[^1]}.");
            }
        });
        option.CompletionSources.Add(_ => words.Select(word => new System.CommandLine.Completions.CompletionItem(word)));
        return option;
    }

    /// <summary>Refuses nothing and blanks where a name is wanted: a script's unset variable must not mean the current folder.</summary>
    public static Option<string?> NotBlank(this Option<string?> option)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && string.IsNullOrWhiteSpace(result.Tokens[0].Value))
            {
                result.AddError($"{option.Name} is empty; give it a value or leave it out.");
            }
        });
        return option;
    }
}
