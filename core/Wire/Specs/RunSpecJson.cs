using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace FedServerless.Wire;

/// <summary>
/// Reads what operators write. Strict, unlike the device protocol: a misspelt field is a problem and never a default, and
/// every problem of form and of value is listed at once.
/// </summary>
public static class RunSpecJson
{
    private static readonly JsonDocumentOptions Document = new() { MaxDepth = 16 };

    /// <summary>Reads and validates a spec.</summary>
    /// <param name="json">UTF-8, at most <see cref="RunLimits.MaxSpecBytes"/>.</param>
    /// <param name="spec">The spec, legal as a whole; null when false is returned.</param>
    /// <param name="problems">Everything that is wrong; empty when true is returned.</param>
    public static bool TryParse(ReadOnlySpan<byte> json, [NotNullWhen(true)] out RunSpec? spec, out IReadOnlyList<Problem> problems)
    {
        var findings = new Findings("");
        spec = Read(json, WireJson.Default.RunSpec, findings, Fill, parsed => RunSpecValidator.Validate(parsed));
        problems = findings.Problems;
        return spec is not null;
    }

    /// <summary>Reads and validates the body of <c>POST runs</c>: an id and a spec.</summary>
    /// <param name="json">UTF-8, at most <see cref="RunLimits.MaxSpecBytes"/>.</param>
    /// <param name="request">The request, legal as a whole; null when false is returned.</param>
    /// <param name="problems">Everything that is wrong; empty when true is returned.</param>
    public static bool TryParseRequest(
        ReadOnlySpan<byte> json, [NotNullWhen(true)] out CreateRunRequest? request, out IReadOnlyList<Problem> problems)
    {
        var findings = new Findings("");
        request = Read(
            json, WireJson.Default.CreateRunRequest, findings,
            (parsed, written) => written.TryGetProperty("spec", out var spec) ? parsed with { Spec = Fill(parsed.Spec, spec) } : parsed, Validate);
        problems = findings.Problems;
        return request is not null;
    }

    private static RunSpec Fill(RunSpec spec, JsonElement written) => SolverDefaults.Fill(PrivacyDefaults.Fill(spec, written), written);

    private static IReadOnlyList<Problem> Validate(CreateRunRequest request)
    {
        var findings = new Findings("");
        findings.Identifier("id", request.Id);
        findings.Add(RunSpecValidator.Validate(request.Spec, "spec"));
        return findings.Problems;
    }

    internal static T? Read<T>(
        ReadOnlySpan<byte> json, JsonTypeInfo<T> type, Findings findings, Func<T, JsonElement, T> fill, Func<T, IReadOnlyList<Problem>> validate)
        where T : class
    {
        if (json.Length > RunLimits.MaxSpecBytes)
        {
            findings.Add(Findings.Root, $"{json.Length} bytes", $"at most {RunLimits.MaxSpecBytes} bytes");
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(json.ToArray(), Document);
            var value = ReadSound(document.RootElement, type, findings);
            if (value is null)
            {
                return null;
            }

            value = fill(value, document.RootElement);
            var form = findings.Problems.Select(problem => Parent(problem.Field)).ToHashSet(StringComparer.Ordinal);
            findings.Add(validate(value).Where(problem => !form.Contains(Parent(problem.Field))));
            return findings.Problems.Count == 0 ? value : null;
        }
        catch (JsonException exception)
        {
            findings.Add(Findings.Root, $"broken at line {exception.LineNumber + 1}, byte {exception.BytePositionInLine}", "one JSON document");
        }
        catch (InvalidOperationException)
        {
            // How System.Text.Json reports bytes or escapes that are no Unicode text.
            findings.Add(Findings.Root, "text that is not Unicode", "UTF-8 text");
        }

        return null;
    }

    private static T? ReadSound<T>(JsonElement root, JsonTypeInfo<T> type, Findings findings)
        where T : class
    {
        using var buffer = new MemoryStream();
        using var writer = new Utf8JsonWriter(buffer);
        if (!StrictJson.TryCopySound(root, type, "", findings, writer))
        {
            return null;
        }

        writer.Flush();
        return JsonSerializer.Deserialize(buffer.GetBuffer().AsSpan(0, (int)buffer.Length), type);
    }

    // The object a field belongs to. Where an object's form is wrong, its values stand in for what was meant, so what they
    // break is not reported.
    private static string Parent(string field) => field.LastIndexOf('.') is >= 0 and var dot ? field[..dot] : "";
}
