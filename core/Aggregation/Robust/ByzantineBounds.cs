namespace FedServerless.Aggregation.Robust;

/// <summary>
/// How many of n clients may lie before a rule promises nothing, f of them: checked when a run is created, and again on the
/// updates that were accepted.
/// </summary>
public static class ByzantineBounds
{
    /// <summary>Coordinate median, trimmed mean, geometric median, centered clipping: fewer than half, <c>n ≥ 2f + 1</c>.</summary>
    public static string? Majority(int clients, int f) => Check(clients, f, 2, 1);

    /// <summary>Krum and Multi-Krum: <c>n ≥ 2f + 3</c> (Blanchard et al. 2017, arXiv:1703.02757, proposition 1).</summary>
    public static string? Krum(int clients, int f) => Check(clients, f, 2, 3);

    /// <summary>Bulyan: <c>n ≥ 4f + 3</c> (El Mhamdi et al. 2018, arXiv:1802.07927, section 4).</summary>
    public static string? Bulyan(int clients, int f) => Check(clients, f, 4, 3);

    private static string? Check(int clients, int f, int times, int plus)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(clients);
        ArgumentOutOfRangeException.ThrowIfNegative(f);
        return clients >= ((long)times * f) + plus
            ? null
            : $"refused: n < {times}f+{plus} (n = {clients}, f = {f}; at most f = {Math.Max(0, (clients - plus) / times)} for so many clients, or at least {((long)times * f) + plus} clients for this f)";
    }
}
