namespace FedServerless.Aggregation;

/// <summary>What integers (batch counters and the like) become: the largest of the clients' values.</summary>
public static class IntegerMaximum
{
    /// <summary><c>maximum[i] = max(maximum[i], values[i])</c>.</summary>
    /// <param name="values">A client's integers.</param>
    /// <param name="maximum">As long; starts as the parent version's integers or the first client's.</param>
    /// <exception cref="ArgumentOutOfRangeException">The lengths differ.</exception>
    public static void Accumulate(ReadOnlySpan<long> values, Span<long> maximum)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, maximum.Length);
        for (var i = 0; i < maximum.Length; i++)
        {
            maximum[i] = Math.Max(maximum[i], values[i]);
        }
    }
}
