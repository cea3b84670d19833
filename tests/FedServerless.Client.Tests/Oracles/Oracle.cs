using System.Text.Json;

namespace FedServerless.Client.Tests.Oracles;

/// <summary>Reference values that an independent implementation wrote; the script beside each file says how.</summary>
internal static class Oracle
{
    private static readonly JsonSerializerOptions CamelCase = new(JsonSerializerDefaults.Web);

    public static IReadOnlyList<T> Load<T>(string name)
    {
        using var stream = typeof(Oracle).Assembly.GetManifestResourceStream($"Oracles/{name}")
            ?? throw new FileNotFoundException($"No oracle is named {name}.");
        return JsonSerializer.Deserialize<List<T>>(stream, CamelCase)!;
    }
}
