using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Cli.Runs;

/// <summary>
/// Architectures on the command line: <c>softmax:64x10</c>, <c>mlp:64-32-10</c> or <c>conv:28x28x1-32c5-64c5-512-10</c>, inputs first, classes last;
/// <c>32c5</c> is a convolution to 32 channels with a kernel of 5.
/// </summary>
internal static class ArchitectureText
{
    public const string Form =
        "softmax:64x10, mlp:64-32-10 or conv:8x8x1-8c3-16c3-10 (inputs, for conv height, width and channels; convolutions as channels, c, kernel; hidden layers; classes)";

    private const char Dash = '-';
    private const char Times = 'x';
    private const char Channels = 'c';

    private static readonly char[] Separators = [Times, Dash];

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

        var (name, numbers) = (text[..colon], text[(colon + 1)..]);
        return name == Architectures.Conv ? ReadConv(numbers.Split(Dash)) : ReadDense(name, numbers.Split(Separators));
    }

    private static ArchitectureSpec? ReadDense(string name, IReadOnlyList<string> parts) => Numbers(parts) is [var inputs, .. var hidden, var outputs]
        ? new ArchitectureSpec { Name = name, Inputs = inputs, Hidden = hidden, Outputs = outputs }
        : null;

    private static ArchitectureSpec? ReadConv(string[] parts)
    {
        var convolutions = parts.Skip(1).TakeWhile(part => part.Contains(Channels, StringComparison.Ordinal)).Select(part => Numbers(part.Split(Channels))).ToArray();
        if (Numbers(parts[0].Split(Times)) is not { Length: 2 or 3 } image
            || convolutions.Any(convolution => convolution is not { Length: 2 })
            || Numbers(parts[(1 + convolutions.Length)..]) is not [.. var hidden, var outputs])
        {
            return null;
        }

        var channels = image.Length == 3 ? image[2] : 1;
        return new ArchitectureSpec
        {
            Name = Architectures.Conv,

            // An image beyond all limits has some other number of inputs, and is refused for its sides.
            Inputs = (int)Math.Min((long)image[0] * image[1] * channels, int.MaxValue),
            Image = new ImageSpec { Height = image[0], Width = image[1], Channels = channels },
            Convolutions = [.. convolutions.Select(convolution => new ConvolutionSpec { Channels = convolution![0], Kernel = convolution[1] })],
            Hidden = hidden,
            Outputs = outputs,
        };
    }

    /// <summary>Every part as a number; null when one is none.</summary>
    private static int[]? Numbers(IEnumerable<string> parts)
    {
        var numbers = new List<int>();
        foreach (var part in parts)
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                return null;
            }

            numbers.Add(number);
        }

        return [.. numbers];
    }
}
