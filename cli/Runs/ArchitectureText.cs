using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Cli.Runs;

/// <summary>Architectures on the command line: <c>softmax:64x10</c> or <c>mlp:64-32-10</c>, inputs first, classes last.</summary>
internal static class ArchitectureText
{
    public const string Form = "softmax:64x10 or mlp:64-32-10 (inputs, hidden layers, classes)";

    private static readonly char[] Separators = ['x', '-'];

    public static bool TryParse(string text, [NotNullWhen(true)] out ArchitectureSpec? architecture)
    {
        architecture = Read(text) is { } spec && Architectures.Validate(spec).Count == 0 ? spec : null;
        return architecture is not null;
    }

    /// <summary>What is wrong with a text that <see cref="TryParse"/> refuses: its form, or the numbers in it.</summary>
    public static string Explain(string text) => Read(text) is { } spec
        ? $"--architecture is '{text}': {string.Join(' ', Architectures.Validate(spec))}"
        : $"--architecture is '{text}'; expected {Form}.";

    private static ArchitectureSpec? Read(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0)
        {
            return null;
        }

        var widths = new List<int>();
        foreach (var part in text[(colon + 1)..].Split(Separators))
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var width))
            {
                return null;
            }

            widths.Add(width);
        }

        return widths.Count < 2 ? null : new ArchitectureSpec { Name = text[..colon], Inputs = widths[0], Hidden = widths[1..^1], Outputs = widths[^1] };
    }
}
