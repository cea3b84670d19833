using System.CommandLine.Parsing;
using System.Globalization;

namespace FedServerless.Cli;

/// <summary>Lengths of time on the command line: a number and a unit.</summary>
internal static class Durations
{
    /// <summary>Reads the one token of an option; reports what is wrong with it.</summary>
    public static TimeSpan Read(ArgumentResult result, string option)
    {
        if (TryParse(result.Tokens[0].Value, out var duration))
        {
            return duration;
        }

        result.AddError($"{option} is '{result.Tokens[0].Value}'; expected a number and a unit: 90s, 15m, 12h or 2d.");
        return default;
    }

    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        double? seconds = text is "" ? null : text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86_400, _ => null };
        if (seconds is null || !double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count)
            || !(count * seconds <= TimeSpan.MaxValue.TotalSeconds / 2))
        {
            return false;
        }

        duration = TimeSpan.FromSeconds(count * seconds.Value);
        return true;
    }
}
