using FedServerless.Capacity;

namespace FedServerless.Local.Hosting;

/// <summary>The price table in the data folder, <c>prices.json</c>; docs/concepts/cost.md has its fields.</summary>
internal static class PriceFile
{
    public const string Name = "prices.json";

    /// <summary>The table, or the example where there is no file.</summary>
    /// <exception cref="HostStartException">The file is not a price table; the message says all that is wrong with it.</exception>
    public static PriceTable Read(string folder)
    {
        var path = Path.Combine(folder, Name);
        if (!File.Exists(path))
        {
            return new PriceTable();
        }

        return PriceTable.TryParse(File.ReadAllBytes(path), out var table, out var problems)
            ? table
            : throw new HostStartException($"'{path}' is not a price table: {string.Join(' ', problems)}");
    }
}
