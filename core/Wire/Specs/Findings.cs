using System.Globalization;
using System.Numerics;

namespace FedServerless.Wire;

/// <summary>Collects problems under one path. Every range check also refuses NaN and infinities.</summary>
internal sealed class Findings(string root)
{
    /// <summary>What problems of the document as a whole name as their field.</summary>
    public const string Root = "$";

    /// <summary>Problems kept: a hostile document may have a million, nobody reads more.</summary>
    public const int MaxProblems = 100;

    private const int MaxValueLength = 64;

    private readonly List<Problem> _problems = [];

    public IReadOnlyList<Problem> Problems => _problems;

    /// <summary>The value as a problem shows it: invariant, at most 64 characters.</summary>
    public static string? Shorten(object? value)
    {
        var text = Convert.ToString(value, CultureInfo.InvariantCulture);
        return value is null ? null : text is { Length: > MaxValueLength } ? string.Concat(text.AsSpan(0, MaxValueLength - 1), "…") : text;
    }

    public string Path(string field) => root.Length == 0 ? field : $"{root}.{field}";

    public void Add(string field, object? value, string expected) => Add([new Problem(Path(field), Shorten(value), expected)]);

    public void Add(IEnumerable<Problem> problems) => _problems.AddRange(problems.Take(MaxProblems - _problems.Count));

    public void Identifier(string field, string? value)
    {
        if (!Identifiers.IsValid(value))
        {
            Add(field, value, Identifiers.Rule);
        }
    }

    public void OneOf(string field, string? value, IReadOnlyList<string> names)
    {
        if (value is null || !names.Contains(value))
        {
            Add(field, value, $"one of {string.Join(", ", names)}");
        }
    }

    /// <summary>Refuses a value that says nothing outside its place.</summary>
    public void Belongs(string field, object? value, bool inPlace, string place)
    {
        if (value is not null && !inPlace)
        {
            Add(field, value, $"nothing: it belongs to {place}");
        }
    }

    public void Range<T>(string field, T value, T least, T most)
        where T : struct, INumber<T>
    {
        if (!(value >= least && value <= most))
        {
            Add(field, value, $"{Kind<T>()} from {least} to {most}");
        }
    }

    public void OptionalRange<T>(string field, T? value, T least, T most, bool required)
        where T : struct, INumber<T>
    {
        if (value is { } present)
        {
            Range(field, present, least, most);
        }
        else if (required)
        {
            Add(field, null, $"{Kind<T>()} from {least} to {most}");
        }
    }

    public void Above<T>(string field, T value, T bound, T most)
        where T : struct, INumber<T>
    {
        if (!(value > bound && value <= most))
        {
            Add(field, value, $"{Kind<T>()} above {bound}, at most {most}");
        }
    }

    public void OptionalAbove<T>(string field, T? value, T bound, T most, bool required)
        where T : struct, INumber<T>
    {
        if (value is { } present)
        {
            Above(field, present, bound, most);
        }
        else if (required)
        {
            Add(field, null, $"{Kind<T>()} above {bound}, at most {most}");
        }
    }

    public void Below<T>(string field, T value, T least, T bound)
        where T : struct, INumber<T>
    {
        if (!(value >= least && value < bound))
        {
            Add(field, value, $"{Kind<T>()} from {least}, below {bound}");
        }
    }

    private static string Kind<T>() => typeof(T) == typeof(double) ? "a number" : "an integer";
}
