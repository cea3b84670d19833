using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Spectre.Console;

namespace FedServerless.Cli.Server;

/// <summary>How a command answers: for people, or as JSON on one line.</summary>
/// <param name="Shell">Where to.</param>
/// <param name="IsJson">True with <c>--json</c>.</param>
internal sealed record Answer(Shell Shell, bool IsJson)
{
    /// <summary>Writes a value as JSON, or calls <paramref name="forPeople"/>.</summary>
    public int Write<T>(T value, JsonTypeInfo<T> type, Action<T> forPeople)
    {
        if (IsJson)
        {
            WriteJson(value, type);
        }
        else
        {
            forPeople(value);
        }

        return ExitCodes.Success;
    }

    /// <summary>Writes a value as JSON on one line.</summary>
    public void WriteJson<T>(T value, JsonTypeInfo<T> type) => Shell.Output.WriteLine(JsonSerializer.Serialize(value, type));

    /// <summary>Writes a table for people.</summary>
    public void WriteTable(string ifEmpty, IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string?>> rows)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns([.. columns]);
        foreach (var row in rows)
        {
            table.AddRow([.. row.Select(cell => Markup.Escape(Visible(cell ?? "–")))]);
        }

        if (table.Rows.Count == 0)
        {
            Shell.Output.WriteLine(ifEmpty);
            return;
        }

        Shell.Console.Write(table);
    }

    // Cells hold what devices and strangers sent: nothing of it may move the cursor, begin a row or turn the reading order.
    private static string Visible(string cell) => string.Concat(cell.Select(character => char.GetUnicodeCategory(character)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator ? '\uFFFD' : character));

    /// <summary>Writes a line for people; nothing with <c>--json</c>.</summary>
    public void Say(string line)
    {
        if (!IsJson)
        {
            Shell.WriteLine(line);
        }
    }
}
