namespace FedServerless.Aggregation;

/// <summary>
/// What buffers (a batch norm's running statistics) become: the weighted mean of the clients' values, past every server
/// optimizer, so that a running variance stays 0 or more.
/// </summary>
public static class BufferMean
{
    /// <summary><c>values[i] = (float)mean[i]</c>, rounded to nearest even.</summary>
    /// <param name="mean">The weighted mean of the clients' buffer values.</param>
    /// <param name="values">As long; overwritten.</param>
    /// <returns>False when a result is not finite; <paramref name="values"/> must then not be published.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The lengths differ.</exception>
    public static bool TryRound(ReadOnlySpan<double> mean, Span<float> values)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(mean.Length, values.Length);
        var finite = true;
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (float)mean[i];
            finite &= float.IsFinite(values[i]);
        }

        return finite;
    }
}
