using System.Globalization;
using FedServerless.Cli.Output;
using FedServerless.Wire;

namespace FedServerless.Cli.Runs;

/// <summary>Costs in words: amounts are estimates, so they carry three digits and the name of the price table.</summary>
internal static class CostText
{
    /// <summary>The amount and its currency, or a dash.</summary>
    public static string Short(CostView? cost) => cost is null ? "–" : $"{Amount(cost.Amount)} {cost.Currency}";

    /// <summary>The amount, what it is for and whose prices it was made with.</summary>
    public static string Long(CostView cost)
    {
        var usage = cost.Usage;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"cost about {Amount(cost.Amount)} {cost.Currency} ({cost.Prices}): {usage.Writes} writes, {usage.Reads} reads, {usage.Lists} lists, {usage.GbSeconds:F1} GB-s, {usage.Executions} executions, {Columns.Bytes(usage.EgressBytes)} to devices");
    }

    /// <summary>Three significant digits, no exponent; nothing is rounded to zero but zero.</summary>
    public static string Amount(double amount)
    {
        if (amount == 0)
        {
            return "0";
        }

        var decimals = Math.Clamp(2 - (int)Math.Floor(Math.Log10(amount)), 0, 12);
        return Math.Round(amount, decimals).ToString($"F{decimals}", CultureInfo.InvariantCulture);
    }
}
