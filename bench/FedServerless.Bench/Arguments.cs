using System.Globalization;

namespace FedServerless.Bench;

/// <summary>Reads a benchmark's arguments.</summary>
internal static class Arguments
{
    /// <summary>The whole number after a name, or else <paramref name="otherwise"/>.</summary>
    public static int Number(this IReadOnlyList<string> args, string name, int otherwise) =>
        args.Text(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    /// <summary>What follows a name, or null.</summary>
    public static string? Text(this IReadOnlyList<string> args, string name)
    {
        for (var i = 0; i + 1 < args.Count; i++)
        {
            if (args[i] == name)
            {
                return args[i + 1];
            }
        }

        return null;
    }
}
